"""The separators of a pipeline behind one face: the paper's two stages, or its single-stage ablation.

Both are pure functions of {role: parameters} on whatever was heard (S [B, P, Ca], G [B, 1, Cg]) and a
condition (text, its mask, T_task, its mask).

Legend: B windows, N text tokens, P patches, H heads, Ca width of S, Cg of G.
"""

from collections.abc import Mapping
from typing import Any

import jax

from hsmtss_jax.bundle import Bundle
from hsmtss_jax.config import from_dict
from hsmtss_jax.stages.features import Features
from hsmtss_jax.stages.joint_separator import (
    JointSeparatorStageConfig,
    separate,
    separate_local,
)
from hsmtss_jax.stages.separation import Condition
from hsmtss_jax.stages.single_stage import SingleStageConfig, separate_single

Params = Mapping[str, Any]
Heard = tuple[jax.Array, jax.Array]


class TwoStage:
    """G_hat, then S_hat given G_hat (paper section III-D)."""

    two_stage = True

    def __init__(self, bundle: Bundle, features: Features) -> None:
        self._config = from_dict(JointSeparatorStageConfig, bundle.config)
        self._features = features
        self.max_text = self._config.global_model.max_text - 1  # [CLS] takes a position

    def separate(self, params: Params, heard: Heard, condition: Condition) -> Heard:
        """(S_hat, G_hat)."""
        weights, dtype = params["joint_separator"], self._features.dtype
        out = separate(self._config, weights, heard, condition, dtype)
        return out.s_hat, out.g_hat

    def separate_local(
        self, params: Params, s: jax.Array, g: jax.Array, condition: Condition
    ) -> jax.Array:
        """S_hat given another G."""
        weights, dtype = params["joint_separator"], self._features.dtype
        return separate_local(self._config, weights, s, g, condition, dtype)

    def attention(self, params: Params, heard: Heard, condition: Condition) -> jax.Array:
        """How G_hat attends to the patches in the local separator's last layer: [B, H, P]."""
        weights, dtype = params["joint_separator"], self._features.dtype
        out = separate(self._config, weights, heard, condition, dtype, return_attention=True)
        return out.local.global_attention()


class OneStage:
    """S_hat straight from the mixture and the text encoder's outputs ("Ours single")."""

    two_stage = False

    def __init__(self, bundle: Bundle, features: Features) -> None:
        self._config = from_dict(SingleStageConfig, bundle.config)
        self._features = features
        self.max_text = self._config.model.max_text

    def separate(self, params: Params, heard: Heard, condition: Condition) -> Heard:
        """(S_hat, the G that Q-Audio reads in it)."""
        s = self.separate_local(params, *heard, condition)
        return s, self._features.global_(params, s)

    def separate_local(
        self, params: Params, s: jax.Array, g: jax.Array, condition: Condition
    ) -> jax.Array:
        """S_hat, whatever the G: this separator reads none."""
        del g
        weights, dtype = params["single_stage"], self._features.dtype
        return separate_single(self._config, weights, s, condition, dtype)

    def attention(self, params: Params, heard: Heard, condition: Condition) -> jax.Array:
        """Raises ValueError: there is no G token."""
        del params, heard, condition
        raise ValueError(
            "a single-stage pipeline has no G token whose attention could be drawn: "
            "give a pipeline with a joint separator"
        )


def make_separators(bundles: Mapping[str, Bundle], features: Features) -> TwoStage | OneStage:
    """What the pipeline's bundles hold. Raises ValueError when they hold no separator."""
    if "joint_separator" in bundles:
        return TwoStage(bundles["joint_separator"], features)
    if "single_stage" in bundles:
        return OneStage(bundles["single_stage"], features)
    raise ValueError("the pipeline holds no separator: neither joint_separator nor single_stage")
