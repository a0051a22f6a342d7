"""The frozen chain under every later stage: sound to S and G, words to T_cap and T_task.

Legend: B batch, L samples, P patches, N text tokens, W words' tokens, Ca width of S, Cg of G and T_cap,
Ct of the text encoder, E of the contrastive space.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.fbank import log_mel_input
from hsmtss_jax.bundle import Bundle
from hsmtss_jax.config import from_dict
from hsmtss_jax.data.text import TASKS, Tokenizer
from hsmtss_jax.models.audio_mae import AudioMAEConfig
from hsmtss_jax.models.q_audio import QAudio, QAudioConfig, unit, with_first
from hsmtss_jax.models.text_encoder import TextEncoderConfig

Frozen = Mapping[str, Any]


class Features:
    """Pure functions of frozen parameters {bundle name: tree}; outputs carry no gradient.

    upstream: the bundles that there are; a method whose bundle is missing raises KeyError.
    """

    def __init__(self, upstream: Mapping[str, Bundle], dtype: Any = jnp.float32) -> None:
        self.dtype = dtype
        self.audio_mae = from_dict(AudioMAEConfig, upstream["audio_mae"].config["model"])
        self.fbank = self.audio_mae.fbank
        if "q_audio" in upstream:
            self.q_audio = from_dict(QAudioConfig, upstream["q_audio"].config["model"])
        if "text_encoder" in upstream:
            bundle = upstream["text_encoder"]
            self.text_encoder = from_dict(TextEncoderConfig, bundle.config["model"])
            self.task_ids, self.task_mask = task_table(Tokenizer.from_bundle(bundle))

    def local(self, frozen: Frozen, audio: jax.Array) -> jax.Array:
        """Audio [B, L] -> S float32 [B, P, Ca], paper section III-B."""
        x = log_mel_input(audio, self.fbank)
        s = self.audio_mae.make(self.dtype).apply(
            {"params": frozen["audio_mae"]}, x, method="encode"
        )
        return self._plain(s)

    def global_(self, frozen: Frozen, s: jax.Array) -> jax.Array:
        """S [B, P, Ca] -> G float32 [B, 1, Cg], paper section III-C."""
        return self._plain(self._q_audio(frozen, s, method="audio"))

    def raw_text(self, frozen: Frozen, ids: jax.Array, mask: jax.Array) -> jax.Array:
        """Token ids and mask [B, N] -> the text encoder's outputs float32 [B, N, Ct]."""
        model = self.text_encoder.make(self.dtype)
        return self._plain(model.apply({"params": frozen["text_encoder"]}, ids, mask))

    def text(self, frozen: Frozen, ids: jax.Array, mask: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Token ids and mask [B, N] -> (T_cap float32 [B, N + 1, Cg], its mask), [CLS] first."""
        raw = self.raw_text(frozen, ids, mask)
        return self._plain(self._q_audio(frozen, raw, mask, method="text")), with_first(mask)

    def audio_vector(self, frozen: Frozen, s: jax.Array) -> jax.Array:
        """S [B, P, Ca] -> z_a float32 [B, E], unit length: what retrieval compares (section III-C)."""

        def project(module: QAudio) -> jax.Array:
            return module.project_audio(module.audio_pass(s).g)

        return self._plain(self._q_audio(frozen, method=project))

    def text_vector(self, frozen: Frozen, ids: jax.Array, mask: jax.Array) -> jax.Array:
        """Token ids and mask [B, N] -> z_t float32 [B, E], unit length, of the text's [CLS]."""
        t_cap, _ = self.text(frozen, ids, mask)
        return self.caption_vector(frozen, t_cap)

    def global_vector(self, frozen: Frozen, g: jax.Array) -> jax.Array:
        """G [B, 1, Cg], of sound or predicted, -> z_a float32 [B, E], unit length."""
        if self.q_audio.g_source == "projected":
            return self._plain(unit(g[:, 0]))
        return self._plain(self._q_audio(frozen, g, method="project_audio"))

    def caption_vector(self, frozen: Frozen, t_cap: jax.Array) -> jax.Array:
        """T_cap [B, N + 1, Cg] -> z_t float32 [B, E], unit length, of its [CLS]."""
        return self._plain(self._q_audio(frozen, t_cap, method="project_text"))

    def task(self, frozen: Frozen, task: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Task numbers [B] (place in ``TASKS``) -> (T_task float32 [B, W, Ct], its mask [B, W])."""
        ids = jnp.asarray(self.task_ids)[task]
        return self._plain(self.token_table(frozen)[ids]), jnp.asarray(self.task_mask)[task]

    def token_table(self, frozen: Frozen) -> jax.Array:
        """The text encoder's token table [V, Ct]."""
        return frozen["text_encoder"]["embedding"]["embedding"]

    def _q_audio(self, frozen: Frozen, *args: jax.Array, method: Any) -> Any:
        model = self.q_audio.make(self.dtype)
        return model.apply({"params": frozen["q_audio"]}, *args, method=method)

    def _plain(self, x: Any) -> jax.Array:
        return jax.lax.stop_gradient(x.astype(jnp.float32))


def task_table(tokenizer: Tokenizer) -> tuple[np.ndarray, np.ndarray]:
    """Ids int32 [tasks, W] of the task words, padded to the longest, and their mask."""
    words = [tokenizer.task_ids(task) for task in TASKS]
    width = max(len(word) for word in words)
    ids = np.full((len(words), width), tokenizer.pad_id, np.int32)
    mask = np.zeros((len(words), width), np.bool_)
    for row, word in enumerate(words):
        ids[row, : len(word)] = word
        mask[row, : len(word)] = True
    return ids, mask
