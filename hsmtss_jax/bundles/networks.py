"""From bundles to networks: the sizes in a bundle's config become the models that its weights fit."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
from hsmtss_jax.models.audio_mae import AudioMAEConfig
from hsmtss_jax.models.global_separator import GlobalSeparatorConfig
from hsmtss_jax.models.hsm_tss import Networks
from hsmtss_jax.models.local_separator import LocalSeparatorConfig
from hsmtss_jax.models.mask_decoder import MaskDecoderConfig
from hsmtss_jax.models.q_audio import QAudioConfig
from hsmtss_jax.models.semantics import Encoders, TaskTable
from hsmtss_jax.models.separators import Separators, SingleStage, TwoStage
from hsmtss_jax.models.text.encoder import TextEncoderConfig
from hsmtss_jax.models.text.tokenizer import Tokenizer
from hsmtss_jax.models.tf_codec.adapter import NeuralCodec, make_codec
from hsmtss_jax.task import TASKS


def read_networks(bundles: Mapping[str, Bundle], dtype: Any = jnp.float32) -> Networks:
    """Return the networks of a pipeline's bundles, by role. Raises ValueError for one without separator."""
    decoder = bundles["acoustic_decoder"].config
    return Networks(
        encoders=read_encoders(bundles, dtype),
        separators=read_separators(bundles, dtype),
        decoder=from_dict(AcousticDecoderConfig, decoder["model"]),
        codec=read_codec(bundles["tf_codec"], dtype),
        mask_padding=bool(decoder["mask_padding"]),
        mask_decoder=read_mask_decoder(bundles),
    )


def read_encoders(bundles: Mapping[str, Bundle], dtype: Any = jnp.float32) -> Encoders:
    """Return the frozen encoders of those bundles that there are; "audio_mae" must be."""
    parts: dict[str, Any] = {}
    if "q_audio" in bundles:
        parts["q_audio"] = from_dict(QAudioConfig, bundles["q_audio"].config["model"])
    if "text_encoder" in bundles:
        text = bundles["text_encoder"]
        parts["text_encoder"] = from_dict(TextEncoderConfig, text.config["model"])
        parts["tasks"] = task_table(Tokenizer.from_bundle(text))
    audio_mae = from_dict(AudioMAEConfig, bundles["audio_mae"].config["model"])
    return Encoders(audio_mae, dtype=dtype, **parts)


def read_separators(bundles: Mapping[str, Bundle], dtype: Any = jnp.float32) -> Separators:
    """Return the separators of a pipeline. Raises ValueError when it holds none."""
    if TwoStage.role in bundles:
        config = bundles[TwoStage.role].config
        return TwoStage(
            from_dict(GlobalSeparatorConfig, config["global_model"]),
            from_dict(LocalSeparatorConfig, config["local_model"]),
            dtype,
        )
    if SingleStage.role in bundles:
        config = bundles[SingleStage.role].config
        return SingleStage(from_dict(LocalSeparatorConfig, config["model"]), dtype)
    raise ValueError("the pipeline holds no separator: neither joint_separator nor single_stage")


def read_mask_decoder(bundles: Mapping[str, Bundle]) -> MaskDecoderConfig | None:
    """Return the mask decoder's config, if there is one."""
    if "mask_decoder" not in bundles:
        return None
    return from_dict(MaskDecoderConfig, bundles["mask_decoder"].config["model"])


def read_codec(bundle: Bundle, dtype: Any = jnp.float32) -> NeuralCodec:
    """Return the codec of a bundle, whose stage says which it is. Raises as ``make_codec`` does."""
    return make_codec(bundle.stage, bundle.config, dtype)


def task_table(tokenizer: Tokenizer) -> TaskTable:
    """Return the token ids of the task words."""
    words = [tokenizer.task_ids(task) for task in TASKS]
    shape = len(words), max(len(word) for word in words)
    ids = np.full(shape, tokenizer.pad_id, np.int32)
    mask = np.zeros(shape, np.bool_)
    for row, word in enumerate(words):
        ids[row, : len(word)] = word
        mask[row, : len(word)] = True
    return TaskTable(ids, mask)
