"""The two-level representation alone: S, G and contrastive vectors of sound, vectors of text.

What ``hsmtss evaluate retrieval`` and ``probe`` measure (HSM-TSS section III-B); it needs no separator.

Legend: B windows, L samples, N text tokens, T x F grid of patches, D width of S, M mel bands,
E contrastive width.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.fbank import log_mel_input
from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.networks import read_encoders
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.inference.loaded import LoadedBundles
from hsmtss_jax.models.audio_mae import AudioMAEConfig
from hsmtss_jax.sampling import trim_text

_FRAME, _HOP = 400, 160  # samples of the fbank's analysis


class Representation(LoadedBundles):
    """Encode with bundles by role. "audio_mae" must be there; text and vectors need the
    "text_encoder" and "q_audio" as well.

    Attributes: encoders, window (samples of one window). Raises ValueError when the bundles were not
    trained against one another.
    """

    def __init__(self, bundles: Mapping[str, Bundle], dtype: Any = None) -> None:
        super().__init__(bundles, dtype)
        self.encoders = read_encoders(bundles, self.dtype)
        self.window = self.encoders.fbank.window_samples

    def audio_vectors(self, audio: np.ndarray) -> np.ndarray:
        """Compute z_a [B, E], unit length, of audio [B, L] with L = window."""
        return np.asarray(self._audio_vectors(self.params, audio))

    def global_features(self, audio: np.ndarray) -> np.ndarray:
        """Compute G [B, Cg], as the separators get it, of audio [B, L] with L = window."""
        return np.asarray(self._global_features(self.params, audio))

    def text_vectors(self, texts: Sequence[str]) -> np.ndarray:
        """Compute z_t [len(texts), E], unit length; what exceeds Q-Audio's length is cut."""
        assert self.tokenizer is not None, "there is a text encoder"
        ids, mask = trim_text(*self.tokenizer(texts, self.encoders.q_audio.max_text))
        return np.asarray(self._text_vectors(self.params, ids, mask))

    def scene_sums(self, audio: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sum S over the time columns that hold sound: (sums [B, F * D], columns int [B]).

        audio [B, L], of which the first ``samples`` [B] are the clip's. The bands of a column are
        concatenated, as MW-MAE's HEAR embedding does.
        """
        patch = self.encoders.audio_mae.patch
        columns = -(-real_frames(samples) // patch)
        return np.asarray(self._scene_sums(self.params, audio, columns)), columns

    def mel_sums(self, audio: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sum the encoder's log-mel input over the frames that hold sound: ([B, M], frames [B])."""
        count = real_frames(samples)
        return np.asarray(self._mel_sums(audio, count)), count

    @functools.partial(jax.jit, static_argnums=0)
    def _audio_vectors(self, params: Any, audio: Any) -> jax.Array:
        return self.encoders.audio_vector(params, self.encoders.local(params, audio))

    @functools.partial(jax.jit, static_argnums=0)
    def _global_features(self, params: Any, audio: Any) -> jax.Array:
        return self.encoders.global_(params, self.encoders.local(params, audio))[:, 0]

    @functools.partial(jax.jit, static_argnums=0)
    def _text_vectors(self, params: Any, ids: Any, mask: Any) -> jax.Array:
        return self.encoders.text_vector(params, ids, mask)

    @functools.partial(jax.jit, static_argnums=0)
    def _scene_sums(self, params: Any, audio: Any, columns: Any) -> jax.Array:
        cfg = self.encoders.audio_mae
        s = self.encoders.local(params, audio)
        s = s.reshape(s.shape[0], cfg.time_patches, cfg.freq_patches * cfg.width)
        return _sum_first(s, columns)

    @functools.partial(jax.jit, static_argnums=0)
    def _mel_sums(self, audio: Any, count: Any) -> jax.Array:
        return _sum_first(log_mel_input(audio, self.encoders.fbank), count)


def _sum_first(x: jax.Array, count: jax.Array) -> jax.Array:
    """Sum the first ``count`` [B] rows of each x [B, T, C] -> [B, C]."""
    used = jnp.arange(x.shape[1])[None, :] < count[:, None]
    return jnp.einsum("btc,bt->bc", x, used.astype(x.dtype))


def real_frames(samples: np.ndarray) -> np.ndarray:
    """Count the whole fbank frames in ``samples``, at least one: int [B] -> int [B]."""
    return np.maximum(1, 1 + (np.asarray(samples, np.int32) - _FRAME) // _HOP)


def random_weights(bundle: Bundle, seed: int = 0) -> Bundle:
    """Return an AudioMAE bundle of the same config with new random weights, as a baseline."""
    config = from_dict(AudioMAEConfig, bundle.config["model"])
    x = jnp.zeros((1, config.frames, config.n_mels))
    init = jax.jit(functools.partial(config.make().init, method="encode"))
    params = jax.device_get(init(jax.random.key(seed), x)["params"])
    return dataclasses.replace(bundle, params=params, digest=f"random-{seed}", path=None)
