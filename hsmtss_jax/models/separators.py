"""Separators H1 and H2, alone and together: one implementation for training and inference.

HSM-TSS sections III-C and III-D. Everything here is a pure function of parameters. With a ``key`` a
network runs in training mode, with dropout.

Legend: B batch, P patches, N text tokens, W tokens of a task word, H heads, Ca width of S, Cg of G and
T_cap, Ct of T_task.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

from hsmtss_jax.models.global_separator import GlobalSeparatorConfig
from hsmtss_jax.models.local_separator import LocalOutput, LocalSeparatorConfig
from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.nn.apply import apply

Tree = Any


class TextCondition(NamedTuple):
    """Hold the text condition of the separators: T_cap [B, N, Cg], T_task [B, W, Ct], masks True = valid.

    The single-stage ablation takes the text encoder's outputs [B, N, Ct] for T_cap.
    """

    text: jax.Array
    text_mask: jax.Array
    task: jax.Array
    task_mask: jax.Array


def predict_global(
    config: GlobalSeparatorConfig,
    params: Tree,
    g_mix: jax.Array,
    condition: TextCondition,
    dtype: Any = jnp.float32,
    key: jax.Array | None = None,
) -> jax.Array:
    """Run H1 on g_mix [B, 1, Cg]: G_hat float32 [B, 1, Cg].

    Args:
      config: of H1.
      params: of H1.
      g_mix: global feature of the mixture [B, 1, Cg].
      condition: encoded text.
      dtype: compute dtype.
      key: dropout key; None: inference.
    """
    return apply(
        config.make(dtype),
        {"params": params},
        g_mix,
        *condition,
        train=key is not None,
        dropout_key=key,
        out=jax.Array,
    )


def predict_local(
    config: LocalSeparatorConfig,
    params: Tree,
    s_mix: jax.Array,
    g: jax.Array | None,
    condition: TextCondition,
    dtype: Any = jnp.float32,
    key: jax.Array | None = None,
    *,
    return_attention: bool = False,
) -> LocalOutput:
    """Run H2 on s_mix [B, P, Ca], conditioned on g [B, 1, Cg].

    Args:
      config: of H2.
      params: of H2.
      s_mix: local features of the mixture [B, P, Ca].
      g: global feature of the target [B, 1, Cg]; None is the single-stage ablation.
      condition: encoded text.
      dtype: compute dtype.
      key: dropout key; None: inference.
      return_attention: also return the last layer's attention weights.
    """
    return apply(
        config.make(dtype),
        {"params": params},
        s_mix,
        g,
        *condition,
        train=key is not None,
        return_attention=return_attention,
        dropout_key=key,
        out=LocalOutput,
    )


@flax.struct.dataclass
class SeparatorOutput:
    """Hold the predictions.

    g_hat: [B, 1, Cg], None for the single-stage ablation; local: H2's output, s_hat [B, P, Ca].
    """

    g_hat: Any
    local: LocalOutput

    @property
    def s_hat(self) -> jax.Array:
        """Return S_hat [B, P, Ca]."""
        return self.local.s_hat


@dataclasses.dataclass(frozen=True, eq=False)
class TwoStage:
    """Run the paper's separators: G_hat, then S_hat given G_hat. params: {"global", "local"}."""

    global_model: GlobalSeparatorConfig
    local_model: LocalSeparatorConfig
    dtype: Any = jnp.float32
    role: ClassVar[str] = "joint_separator"

    @property
    def max_text(self) -> int:
        """Return the maximal number of tokens of a description."""
        return self.global_model.max_text - 1  # [CLS] takes a position

    def __call__(
        self,
        params: Mapping[str, Tree],
        mixture: Semantics,
        condition: TextCondition,
        *,
        choose: Callable[[jax.Array], jax.Array] = lambda g_hat: g_hat,
        keys: tuple[jax.Array, jax.Array] | None = None,
        return_attention: bool = False,
    ) -> SeparatorOutput:
        """Predict G_hat, and S_hat given ``choose(G_hat)``.

        Args:
          params: {"global", "local"}.
          mixture: features of the mixture.
          condition: encoded text.
          choose: selects H2's global feature, as the training's switcher does (HSM-TSS section III-D).
          keys: dropout keys of H1 and H2; None: inference.
          return_attention: also return H2's attention weights.
        """
        of_global, of_local = keys or (None, None)
        g_hat = self.predict_global(params, mixture.g, condition, of_global)
        local = predict_local(
            self.local_model,
            params["local"],
            mixture.s,
            choose(g_hat),
            condition,
            self.dtype,
            of_local,
            return_attention=return_attention,
        )
        return SeparatorOutput(g_hat=g_hat, local=local)

    def predict_global(
        self,
        params: Mapping[str, Tree],
        g_mix: jax.Array,
        condition: TextCondition,
        key: jax.Array | None = None,
    ) -> jax.Array:
        """Predict G_hat [B, 1, Cg]."""
        return predict_global(
            self.global_model, params["global"], g_mix, condition, self.dtype, key
        )

    def predict_local(
        self, params: Mapping[str, Tree], s_mix: jax.Array, g: jax.Array, condition: TextCondition
    ) -> jax.Array:
        """Predict S_hat [B, P, Ca] given g [B, 1, Cg]."""
        return predict_local(
            self.local_model, params["local"], s_mix, g, condition, self.dtype
        ).s_hat


@dataclasses.dataclass(frozen=True, eq=False)
class SingleStage:
    """Run the paper's ablation "Ours single": S_hat from S_mix and the text encoder's outputs alone."""

    model: LocalSeparatorConfig
    dtype: Any = jnp.float32
    role: ClassVar[str] = "single_stage"

    @property
    def max_text(self) -> int:
        """Return the maximal number of tokens of a description."""
        return self.model.max_text

    def __call__(
        self, params: Tree, mixture: Semantics, condition: TextCondition
    ) -> SeparatorOutput:
        """Predict S_hat; there is no G_hat."""
        local = predict_local(self.model, params, mixture.s, None, condition, self.dtype)
        return SeparatorOutput(g_hat=None, local=local)


Separators = TwoStage | SingleStage
