"""The separators H1 and H2, alone and together: one implementation for training and inference.

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

Tree = Any


class TextCondition(NamedTuple):
    """What the separators are told in words: T_cap [B, N, Cg], T_task [B, W, Ct], True where valid.

    The single-stage ablation is given the text encoder's outputs [B, N, Ct] for T_cap.
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
    """Run H1 on g_mix [B, 1, Cg]: G_hat float32 [B, 1, Cg]."""
    rngs = None if key is None else {"dropout": key}
    model = config.make(dtype)
    g_hat = model.apply({"params": params}, g_mix, *condition, train=key is not None, rngs=rngs)
    assert isinstance(g_hat, jax.Array)
    return g_hat


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
    """Run H2 on s_mix [B, P, Ca], conditioned on g [B, 1, Cg]; g None is the single-stage ablation."""
    out = config.make(dtype).apply(
        {"params": params},
        s_mix,
        g,
        *condition,
        train=key is not None,
        return_attention=return_attention,
        rngs=None if key is None else {"dropout": key},
    )
    assert isinstance(out, LocalOutput)
    return out


@flax.struct.dataclass
class SeparatorOutput:
    """g_hat: [B, 1, Cg], None where nothing predicts it; local: H2's output, s_hat [B, P, Ca]."""

    g_hat: Any
    local: LocalOutput

    @property
    def s_hat(self) -> jax.Array:
        """[B, P, Ca]."""
        return self.local.s_hat


@dataclasses.dataclass(frozen=True, eq=False)
class TwoStage:
    """The paper's separators: G_hat, then S_hat given G_hat. params: {"global", "local"}."""

    global_model: GlobalSeparatorConfig
    local_model: LocalSeparatorConfig
    dtype: Any = jnp.float32
    role: ClassVar[str] = "joint_separator"

    @property
    def max_text(self) -> int:
        """Tokens of a description that are read."""
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
        """Predict G_hat, and S_hat given ``choose(G_hat)``; in training mode with dropout ``keys``."""
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
    """The paper's ablation "Ours single": S_hat from S_mix and the text encoder's outputs alone."""

    model: LocalSeparatorConfig
    dtype: Any = jnp.float32
    role: ClassVar[str] = "single_stage"

    @property
    def max_text(self) -> int:
        """Tokens of a description that are read."""
        return self.model.max_text

    def __call__(
        self, params: Tree, mixture: Semantics, condition: TextCondition
    ) -> SeparatorOutput:
        """Predict S_hat; there is no G_hat."""
        local = predict_local(self.model, params, mixture.s, None, condition, self.dtype)
        return SeparatorOutput(g_hat=None, local=local)


Separators = TwoStage | SingleStage
