"""Linear maps from frozen audio features to a prefix that GPT-2 goes on from (HSM-TSS Table VI).

Legend: B batch, T x F grid of patches (token i = F * t + f), P = T * F, Ca width of S, Cg of G,
K tokens of G's part of the prefix, D width of GPT-2.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from einops import rearrange

INIT = nn.initializers.normal(0.02)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CaptionerConfig:
    """Sizes. use_local: a token a time column of S follows the tokens of G."""

    global_tokens: int = 10  # K
    width: int = 768  # D
    use_local: bool = False
    freq_patches: int = 8  # F; read with use_local

    def make(self, dtype: Any = jnp.float32) -> "Captioner":
        """The module, computing in ``dtype``."""
        return Captioner(config=self, dtype=dtype)


class Captioner(nn.Module):
    """Parameters: ``of_global`` and, with use_local, ``of_local``: one Dense each."""

    config: CaptionerConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, g: jax.Array, s: jax.Array) -> jax.Array:
        """g [B, 1, Cg], s [B, P, Ca] -> the prefix [B, K, D], or [B, K + T, D] with use_local.

        Of s a token is the linear map of a column's bands side by side.
        """
        cfg = self.config
        whole = nn.Dense(
            cfg.global_tokens * cfg.width, dtype=self.dtype, kernel_init=INIT, name="of_global"
        )
        prefix = rearrange(whole(g[:, 0]), "b (k d) -> b k d", k=cfg.global_tokens)
        if not cfg.use_local:
            return prefix
        columns = rearrange(s, "b (t f) c -> b t (f c)", f=cfg.freq_patches)
        local = nn.Dense(cfg.width, dtype=self.dtype, kernel_init=INIT, name="of_local")(columns)
        return jnp.concatenate([prefix, local], axis=1)
