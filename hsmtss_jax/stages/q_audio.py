"""Stage: align audio and text with Q-Audio (HSM-TSS section III-B): ATC + ATM + ATG.

Legend: B batch, L samples, P patches, N text tokens, V vocabulary.
"""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Literal

import flax.struct
import grain
import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.config import Shard, StageConfig
from hsmtss_jax.data.pipeline import caption_dataset
from hsmtss_jax.losses.captioning import atg_loss
from hsmtss_jax.losses.contrastive import (
    atc_loss,
    atm_loss,
    hard_negatives,
    same_caption,
    similarities,
)
from hsmtss_jax.models.q_audio import AudioPass, QAudio, QAudioConfig
from hsmtss_jax.models.text.tokenizer import Tokenizer
from hsmtss_jax.precompute.text import TextCache
from hsmtss_jax.stages.base import CaptionStage
from hsmtss_jax.stages.sizes import inherit, with_sizes
from hsmtss_jax.train.stage import Batch, Objective, StepInput, StepReport, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class QAudioStageConfig(StageConfig):
    """Configure Q-Audio's three losses on a frozen AudioMAE and a frozen text encoder."""

    name: str = "q_audio"
    # audio_width, text_width, vocab: None is AudioMAE's and the text encoder's
    model: QAudioConfig = dataclasses.field(default_factory=lambda: inherit(QAudioConfig()))
    samples: int = CLIP_SAMPLES  # of a window at 16 kHz
    atc_weight: float = 1.0
    atm_weight: float = 1.0
    atg_weight: float = 1.0
    smoothing: float = 0.1  # of ATC's and ATG's labels
    # What ATG reads of the tokens before: rows of the token table, or the encoder's outputs, which are
    # bidirectional and so leak the next token (for the ablation).
    atg_source: Literal["table", "encoder"] = "table"


@flax.struct.dataclass
class AlignmentLosses:
    """Hold the losses of every example, each [B].

    hit: whether the audio's own caption is its best in the batch; matched: share of its three pairs that
    ATM classifies correctly.
    """

    atc: jax.Array
    atm: jax.Array
    atg: jax.Array
    hit: jax.Array
    matched: jax.Array


@flax.struct.dataclass
class NextTokens:
    """Hold what ATG predicts. logits: [B, M, V]; targets: int32 [B, M]; mask: bool [B, M], True = token."""

    logits: jax.Array
    targets: jax.Array
    mask: jax.Array


class QAudioStage(CaptionStage):
    """Train one group, ``model``; the release drops the language-model head."""

    config: QAudioStageConfig
    config_class = QAudioStageConfig
    upstream_names: ClassVar[tuple[str, ...]] = ("audio_mae", "text_encoder")

    def complete(self, config: QAudioStageConfig) -> QAudioStageConfig:
        text = self.encoders.text_encoder
        sizes = {"text_width": text.width, "vocab": text.vocab}
        return with_sizes(config, {"audio_width": self.encoders.audio_mae.width, **sizes})

    def batch_spec(self) -> dict[str, jax.ShapeDtypeStruct]:
        spec = super().batch_spec()
        if self.data.text_cache:
            shape = (*spec["text_ids"].shape, self.encoders.text_encoder.width)
            spec["text_features"] = jax.ShapeDtypeStruct(shape, jnp.float32)
        return spec

    def dataset(self, split: str, shard: Shard, seed: int) -> grain.IterDataset:
        return caption_dataset(
            self.data,
            split,
            shard,
            seed,
            samples=self.config.samples,
            tokenizer=Tokenizer.from_bundle(self.upstream["text_encoder"]),
            encode=self._text_cache(),
        )

    def _text_cache(self) -> TextCache | None:
        if not self.data.text_cache:
            return None
        bundles = {"text_encoder": self.upstream["text_encoder"]}
        return TextCache(self.data.text_cache, bundles, self.encoders.raw_text, self.dtype)

    def _raw_text(self, frozen: Mapping[str, Tree], batch: Batch) -> jax.Array:
        """Return the text encoder's outputs [B, N, Ct], computed or read by caption."""
        if "text_features" in batch:
            return batch["text_features"]
        return self.encoders.raw_text(frozen, batch["text_ids"], batch["text_mask"])

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        """Draw the weights; the query's feed-forward part starts as a copy of the text's."""
        batch = {name: value[:1] for name, value in batch.items()}
        s = self.encoders.local(frozen, batch["audio"])
        raw, mask = self._raw_text(frozen, batch), batch["text_mask"]
        table = self.encoders.token_table(frozen)
        params = self.config.model.make(self.dtype).init(key, s, raw, mask, table)["params"]
        layers = dict(params["stack"]["layers"])
        layers["ffn_query"] = jax.tree.map(jnp.copy, layers["ffn_text"])
        return {"model": {**params, "stack": {"layers": layers}}}, {}

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, StepReport]:
        losses = self._losses(inputs, train=True)
        means = {name: jnp.mean(value) for name, value in vars(losses).items()}
        loss = jnp.mean(self._total(losses))
        return loss, StepReport(metrics=means, aux=inputs.aux)

    def _total(self, losses: AlignmentLosses) -> jax.Array:
        cfg = self.config
        return (
            cfg.atc_weight * losses.atc + cfg.atm_weight * losses.atm + cfg.atg_weight * losses.atg
        )

    def _losses(self, inputs: StepInput, *, train: bool) -> AlignmentLosses:
        drop_key, draw_key = jax.random.split(inputs.key)
        model = self.config.model.make(self.dtype)
        rngs = {"dropout": drop_key} if train else None

        def losses(module: QAudio) -> AlignmentLosses:
            return self._of_module(module, inputs.frozen, inputs.batch, draw_key, train)

        result = model.apply({"params": inputs.params["model"]}, method=losses, rngs=rngs)
        assert isinstance(result, AlignmentLosses)
        return result

    def _of_module(
        self,
        module: QAudio,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
        train: bool,
    ) -> AlignmentLosses:
        mask = batch["text_mask"]
        s = self.encoders.local(frozen, batch["audio"])
        raw = self._raw_text(frozen, batch)
        audio = module.audio_pass(s, train=train)
        z_text = module.project_text(module.text(raw, mask, train=train))
        similarity = similarities(module.project_audio(audio.g), z_text, module.temperature())
        same = same_caption(batch["caption_id"])

        drawn = hard_negatives(key, similarity, same)
        match = module.match(
            jnp.concatenate([s, s[drawn.audio], s]),
            jnp.concatenate([raw, raw, raw[drawn.text]]),
            jnp.concatenate([mask, mask, mask[drawn.text]]),
            train=train,
        )
        matched, wrong_audio, wrong_text = jnp.split(match, 3)

        atg = self.next_tokens(module, frozen, batch, audio, raw, train)
        best = jnp.take_along_axis(same, jnp.argmax(similarity, axis=1)[:, None], axis=1)
        return AlignmentLosses(
            atc=atc_loss(similarity, same, self.config.smoothing),
            atm=atm_loss(matched, wrong_audio, wrong_text, drawn.exist),
            atg=atg_loss(atg.logits, atg.targets, atg.mask, self.config.smoothing),
            hit=best[:, 0].astype(jnp.float32),
            matched=_accuracy(matched, wrong_audio, wrong_text),
        )

    def next_tokens(
        self,
        module: QAudio,
        frozen: Mapping[str, Tree],
        batch: Batch,
        audio: AudioPass,
        raw: jax.Array,
        train: bool,
    ) -> NextTokens:
        """Predict every token from the audio and the tokens before it: ATG.

        Args:
          module: the network, with its parameters.
          frozen: the text encoder's parameters, by bundle.
          batch: with text_ids, text_mask [B, N].
          audio: the pass over the audio.
          raw: the text encoder's outputs [B, N, E].
          train: dropout is on.
        """
        table = self.encoders.token_table(frozen)
        # BERT's own [CLS] is no target.
        start = 1 if self.encoders.text_encoder.kind == "bert" else 0
        targets, mask = batch["text_ids"][:, start:], batch["text_mask"][:, start:]
        rows = table[targets] if self.config.atg_source == "table" else raw[:, start:]
        logits = module.caption(
            audio, rows, mask, table, source=self.config.atg_source, train=train
        )
        return NextTokens(logits=logits, targets=targets, mask=mask)

    def eval_metrics(self, inputs: StepInput) -> dict[str, jax.Array]:
        """Compute the losses, audio-to-text R@1 in the batch (``hit``), ATM accuracy (``matched``)."""
        losses = self._losses(inputs, train=False)
        return {"loss": self._total(losses), **vars(losses)}

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        del aux
        return {name: x for name, x in params["model"].items() if not name.startswith("lm_")}


def _accuracy(matched: jax.Array, wrong_audio: jax.Array, wrong_text: jax.Array) -> jax.Array:
    """Compute the share of each example's three pairs that are classified correctly, [B]."""

    def is_match(logits: jax.Array) -> jax.Array:
        return (logits[:, 1] > logits[:, 0]).astype(jnp.float32)

    return (is_match(matched) + 2.0 - is_match(wrong_audio) - is_match(wrong_text)) / 3.0
