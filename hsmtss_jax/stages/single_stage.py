"""Stage: the paper's single-stage ablation ("Ours single"), S_hat straight from S_mix and the words.

The local separator's body without a global stage and without G; its text is the frozen text encoder's
output as it is, not Q-Audio's.

Legend: B batch, P patches, N text tokens, Ca width of S, Ct width of the text encoder.
"""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

import jax

from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.models.separators import TextCondition
from hsmtss_jax.stages.base import MixtureFeatures, local_features
from hsmtss_jax.stages.local_separator import LocalSeparatorStage, LocalSeparatorStageConfig
from hsmtss_jax.train.stage import Batch, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class SingleStageConfig(LocalSeparatorStageConfig):
    """Configure a local separator that reads the text encoder, whose max_text counts no [CLS]."""

    name: str = "single_stage"


class SingleStage(LocalSeparatorStage):
    """Train the local separator on features without G, with the same loss, metrics and release."""

    config: SingleStageConfig
    config_class = SingleStageConfig
    upstream_names: ClassVar[tuple[str, ...]] = ("audio_mae", "text_encoder")
    text_extra: ClassVar[int] = 0

    @property
    def text_width(self) -> int:
        """Return the width of the text encoder's outputs."""
        return self.encoders.text_encoder.width

    def text(self, frozen: Mapping[str, Tree], ids: jax.Array, mask: jax.Array) -> jax.Array:
        """Encode token ids and mask [B, N] by the text encoder: [B, N, Ct]."""
        return self.encoders.raw_text(frozen, ids, mask)

    def read(self, frozen: Mapping[str, Tree], batch: Batch) -> MixtureFeatures:
        """Compute the batch's frozen features; the condition is [raw text [B, N, Ct], T_task]."""
        s_mix, s_target = local_features(self.encoders, frozen, batch)
        text = batch.get("text_features")
        if text is None:
            text = self.text(frozen, batch["text_ids"], batch["text_mask"])
        task = self.encoders.task(frozen, batch["task"])
        out = MixtureFeatures(
            mixture=Semantics(s=s_mix, g=None),
            target=Semantics(s=s_target, g=None),
            condition=TextCondition(text, batch["text_mask"], *task),
        )
        return jax.tree.map(jax.lax.stop_gradient, out)
