"""Frozen encoders: audio to its semantic features S and G, text to T_cap and T_task.

HSM-TSS section III-B. Used by training and inference alike.

Legend: B batch, L samples, P patches, N text tokens, W words' tokens, Ca width of S, Cg of G and T_cap,
Ct of the text encoder, E of the contrastive space.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.fbank import FbankConfig, log_mel_input
from hsmtss_jax.models.audio_mae import AudioMAEConfig
from hsmtss_jax.models.q_audio import QAudio, QAudioConfig, unit, with_first
from hsmtss_jax.models.text.encoder import TextEncoderConfig
from hsmtss_jax.nn.apply import apply

Params = Mapping[str, Any]  # role -> that bundle's parameters


@flax.struct.dataclass
class Semantics:
    """Hold semantic features. s: local [B, P, Ca]; g: global [B, 1, Cg], None where unused."""

    s: jax.Array
    g: Any


@dataclasses.dataclass(frozen=True)
class TaskTable:
    """Hold token ids int32 [tasks, W] of the task words, padded to the longest, and their bool mask."""

    ids: np.ndarray
    mask: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Encoders:
    """Compute features with frozen parameters {role: tree}; outputs are float32 and carry no gradient.

    Only audio_mae is required; methods of a network that is None must not be called. dtype: compute dtype.
    """

    audio_mae: AudioMAEConfig
    q_audio: QAudioConfig = None  # type: ignore[assignment]
    text_encoder: TextEncoderConfig = None  # type: ignore[assignment]
    tasks: TaskTable = None  # type: ignore[assignment]
    dtype: Any = jnp.float32

    @property
    def fbank(self) -> FbankConfig:
        """Return the log-mel front end of AudioMAE."""
        return self.audio_mae.fbank

    def local(self, params: Params, audio: jax.Array) -> jax.Array:
        """Compute S float32 [B, P, Ca] of audio [B, L] at 16 kHz (HSM-TSS section III-B)."""
        x = log_mel_input(audio, self.fbank)
        model, variables = self.audio_mae.make(self.dtype), {"params": params["audio_mae"]}
        return self._plain(apply(model, variables, x, method="encode", out=jax.Array))

    def encode(self, params: Params, audio: jax.Array) -> Semantics:
        """Compute S and G of audio [B, L] at 16 kHz."""
        s = self.local(params, audio)
        return Semantics(s=s, g=self.global_(params, s))

    def global_(self, params: Params, s: jax.Array) -> jax.Array:
        """Compute G float32 [B, 1, Cg] of S [B, P, Ca] (HSM-TSS section III-B)."""
        return self._plain(self._q_audio(params, s, method="audio"))

    def raw_text(self, params: Params, ids: jax.Array, mask: jax.Array) -> jax.Array:
        """Compute the text encoder's outputs float32 [B, N, Ct] of token ids and mask [B, N]."""
        model, variables = self.text_encoder.make(self.dtype), {"params": params["text_encoder"]}
        return self._plain(apply(model, variables, ids, mask, out=jax.Array))

    def text(self, params: Params, ids: jax.Array, mask: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Compute (T_cap float32 [B, N + 1, Cg], its mask), [CLS] first, of token ids and mask [B, N]."""
        raw = self.raw_text(params, ids, mask)
        return self._plain(self._q_audio(params, raw, mask, method="text")), with_first(mask)

    def audio_vector(self, params: Params, s: jax.Array) -> jax.Array:
        """Compute z_a float32 [B, E], unit length, of S [B, P, Ca]: the vector that retrieval compares."""

        def project(module: QAudio) -> jax.Array:
            return module.project_audio(module.audio_pass(s).g)

        return self._plain(self._q_audio(params, method=project))

    def text_vector(self, params: Params, ids: jax.Array, mask: jax.Array) -> jax.Array:
        """Compute z_t float32 [B, E], unit length, of the text's [CLS], from token ids and mask [B, N]."""
        t_cap, _ = self.text(params, ids, mask)
        return self.caption_vector(params, t_cap)

    def global_vector(self, params: Params, g: jax.Array) -> jax.Array:
        """Compute z_a float32 [B, E], unit length, of a true or predicted G [B, 1, Cg]."""
        if self.q_audio.g_source == "projected":
            return self._plain(unit(g[:, 0]))
        return self._plain(self._q_audio(params, g, method="project_audio"))

    def caption_vector(self, params: Params, t_cap: jax.Array) -> jax.Array:
        """Compute z_t float32 [B, E], unit length, of T_cap's [CLS], from T_cap [B, N + 1, Cg]."""
        return self._plain(self._q_audio(params, t_cap, method="project_text"))

    def task(self, params: Params, task: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Look up (T_task float32 [B, W, Ct], its mask [B, W]) of task numbers [B] (place in ``TASKS``)."""
        ids = jnp.asarray(self.tasks.ids)[task]
        return self._plain(self.token_table(params)[ids]), jnp.asarray(self.tasks.mask)[task]

    def token_table(self, params: Params) -> jax.Array:
        """Return the text encoder's token table [V, Ct]."""
        return params["text_encoder"]["embedding"]["embedding"]

    def _q_audio(self, params: Params, *args: jax.Array, method: Any) -> jax.Array:
        model, variables = self.q_audio.make(self.dtype), {"params": params["q_audio"]}
        return apply(model, variables, *args, method=method, out=jax.Array)

    def _plain(self, x: jax.Array) -> jax.Array:
        return jax.lax.stop_gradient(x.astype(jnp.float32))
