"""Map frozen audio features linearly to a prefix of GPT-2 (HSM-TSS Table VI).

Legend: B batch, T x F grid of patches (token i = F * t + f), P = T * F, Ca width of S, Cg of G,
K tokens of G's part of the prefix, D width of GPT-2.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from einops import rearrange

from hsmtss_jax.config import Inherited
from hsmtss_jax.models.semantics import Encoders
from hsmtss_jax.nn.apply import apply

Tree = Any

INIT = nn.initializers.normal(0.02)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CaptionerConfig:
    """Configure the maps. use_local: one token per time column of S follows the tokens of G."""

    global_tokens: int = 10  # K
    width: Inherited = 768  # D
    use_local: bool = False
    freq_patches: Inherited = 8  # F; read with use_local

    def make(self, dtype: Any = jnp.float32) -> "CaptionPrefix":
        """Create the module with compute dtype ``dtype``."""
        return CaptionPrefix(config=self, dtype=dtype)


class CaptionPrefix(nn.Module):
    """Apply one Dense layer to G (``of_global``) and, with use_local, one to S (``of_local``)."""

    config: CaptionerConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, g: jax.Array, s: jax.Array) -> jax.Array:
        """Map g [B, 1, Cg], s [B, P, Ca] to the prefix [B, K, D], or [B, K + T, D] with use_local.

        A token of s is the linear map of its column's bands, concatenated.
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


def caption_prefix(
    config: CaptionerConfig,
    encoders: Encoders,
    params: Tree,
    frozen: Mapping[str, Tree],
    audio: jax.Array,
) -> jax.Array:
    """Compute the prefix [B, K, D] of audio [B, L] by the ``map`` of the captioner's parameters.

    Args:
      config: of the captioner.
      encoders: the frozen encoders.
      params: the captioner's parameters.
      frozen: parameters of the encoders by role.
      audio: [B, L] at 16 kHz.
    """
    semantics = encoders.encode(frozen, audio)
    model = config.make(encoders.dtype)
    return apply(model, {"params": params["map"]}, semantics.g, semantics.s, out=jax.Array)


def language_model(params: Tree, frozen: Mapping[str, Tree]) -> Tree:
    """Return GPT-2's parameters: the captioner's own when it was fine-tuned, else those upstream."""
    return params["gpt2"] if "gpt2" in params else frozen["gpt2"]
