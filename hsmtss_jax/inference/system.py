"""The whole system as pure, jitted, batched functions of a pipeline's weights (HSM-TSS eq. 2-4).

Legend: B windows, L samples, N text tokens, P patches, C widths, T token frames, K groups.
"""

import functools
from collections.abc import Sequence
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.fbank import FbankConfig
from hsmtss_jax.config import from_dict
from hsmtss_jax.data.text import TASKS, Tokenizer
from hsmtss_jax.inference.pipeline import Pipeline
from hsmtss_jax.inference.silence import noise_gate
from hsmtss_jax.models.acoustic_decoder import AcousticDecoderConfig
from hsmtss_jax.models.tf_codec import TFCodecConfig
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.stages.acoustic_sampling import TokenSampler
from hsmtss_jax.stages.features import Features
from hsmtss_jax.stages.joint_separator import (
    JointSeparatorStageConfig,
    separate,
    separate_local,
)


@flax.struct.dataclass
class Query:
    """What was asked, one row a window. text: T_cap [B, N, Cg]; task: T_task [B, L, Ct]; bool masks."""

    text: jax.Array
    text_mask: jax.Array
    task: jax.Array
    task_mask: jax.Array


@flax.struct.dataclass
class Semantics:
    """Semantic features. s: local [B, P, Ca]; g: global [B, 1, Cg]."""

    s: jax.Array
    g: jax.Array


@flax.struct.dataclass
class Prediction:
    """The predicted semantics of a target, s [B, P, Ca] and g [B, 1, Cg], and two cosines [B].

    of_target: of the description to the sound that s stands for; of_mixture: to the mixture; both in
    the space where Q-Audio compares sound with text.
    """

    s: jax.Array
    g: jax.Array
    of_target: jax.Array
    of_mixture: jax.Array


class System:
    """A loaded pipeline, ready to run on a device (the default one).

    Attributes: window (samples of one window), frame (samples of one token frame), frames (token
    frames of a window), sample_rate, device, dtype (float32 on a CPU, else bfloat16).
    """

    sample_rate = 16000

    def __init__(
        self, pipeline: Pipeline, dtype: Any = None, device: jax.Device | None = None
    ) -> None:
        self.device = device or jax.local_devices()[0]
        self.dtype = dtype or (jnp.float32 if self.device.platform == "cpu" else jnp.bfloat16)
        bundles = pipeline.bundles
        self.pipeline = pipeline
        self.features = Features(bundles, self.dtype)
        self.tokenizer = Tokenizer.from_bundle(bundles["text_encoder"])
        self._separators = from_dict(JointSeparatorStageConfig, bundles["joint_separator"].config)
        self.max_text = self._separators.global_model.max_text - 1
        self.codec_config = from_dict(TFCodecConfig, bundles["tf_codec"].config["model"])
        self._codec = self.codec_config.make(self.dtype)
        decoder = bundles["acoustic_decoder"].config["model"]
        self.decoder_config = from_dict(AcousticDecoderConfig, decoder)
        self.window = window_samples(self.features.fbank)
        self.frames = self.codec_config.token_frames(self.window)
        self.frame = self.codec_config.hop * self.codec_config.frames_per_token
        params: dict[str, Any] = {name: bundle.params for name, bundle in bundles.items()}
        weights = jax.device_put(params.pop("acoustic_decoder"), self.device)
        self._params = jax.device_put(params, self.device)
        self._sampler = TokenSampler(self.decoder_config, weights, self.dtype)

    def query(self, task: str, description: str, rows: int) -> Query:
        """Encode one instruction and repeat it for ``rows`` windows."""
        return self.queries([task] * rows, [description] * rows)

    def queries(self, tasks: Sequence[str], descriptions: Sequence[str]) -> Query:
        """Encode an instruction a window. Raises ValueError for an unknown task."""
        ids, mask = self.tokenizer.bucketed(list(descriptions), self.max_text)
        numbers = np.array([TASKS.index(task) for task in tasks], np.int32)
        return self._query(self._params, ids, mask, numbers)

    def listen(self, audio: np.ndarray) -> Semantics:
        """AudioMAE and Q-Audio of audio [B, L] with L = window."""
        return self._listen(self._params, audio)

    def separate(self, mixture: Semantics, query: Query) -> Semantics:
        """The global, then the local separator: the predicted semantics of the target."""
        return self._separate(self._params, mixture, query)

    def predict(self, mixture: Semantics, query: Query, g: np.ndarray | None = None) -> Prediction:
        """``separate``, or ``separate_local`` given g [B, 1, Cg], and how near it came to the words."""
        return self._predict(self._params, mixture, query, g)

    def separate_local(self, mixture: Semantics, g: jax.Array, query: Query) -> jax.Array:
        """The local separator alone, conditioned on g [B, 1, Cg] -> S_hat [B, P, Ca]."""
        return self._separate_local(self._params, mixture.s, g, query)

    def judge(
        self, audio: np.ndarray, query: Query, g: np.ndarray, by_text: np.ndarray
    ) -> jax.Array:
        """How near Q-Audio finds audio [B, L] to what was wanted: cosines [B].

        The rows where by_text [B] is true are compared with the description, the others with the
        predicted global feature g [B, 1, Cg].
        """
        return self._judge(self._params, audio, query, g, by_text)

    def sample(
        self,
        s: jax.Array | np.ndarray,
        seeds: np.ndarray,
        policy: Policy,
        forced: np.ndarray | None = None,
        forced_length: np.ndarray | None = None,
        lengths: np.ndarray | None = None,
    ) -> jax.Array:
        """Codec tokens int32 [B, T, K] of semantics s [B, P, Ca].

        The first forced_length [B] frames are those of forced [B, F, K]. lengths: int [B]; frames from
        there on are 0, and cost nothing where all rows are short.
        """
        tokens = self._sampler(
            s, self.frames, seeds, policy, forced, forced_length, lengths=lengths
        )
        return jnp.asarray(tokens)

    def encode(self, audio: np.ndarray) -> jax.Array:
        """Codec tokens of audio [B, L] -> int32 [B, T, K]."""
        return self._encode(self._params, audio)

    def decode(self, tokens: jax.Array | np.ndarray, samples: int) -> np.ndarray:
        """Codec tokens [B, T, K] -> audio [B, samples], clipped to [-1, 1], its noise floor muted."""
        audio = np.asarray(self._decode(self._params, tokens, samples))
        return noise_gate(audio, self.sample_rate)

    @functools.partial(jax.jit, static_argnums=0)
    def _query(self, params: Any, ids: Any, mask: Any, tasks: Any) -> Query:
        text, text_mask = self.features.text(params, ids, mask)
        missing = self.max_text - ids.shape[1]  # the separators are one program for all buckets
        text = jnp.pad(text, ((0, 0), (0, missing), (0, 0)))
        text_mask = jnp.pad(text_mask, ((0, 0), (0, missing)))
        task, task_mask = self.features.task(params, tasks)
        return Query(text=text, text_mask=text_mask, task=task, task_mask=task_mask)

    @functools.partial(jax.jit, static_argnums=0)
    def _listen(self, params: Any, audio: Any) -> Semantics:
        s = self.features.local(params, audio)
        return Semantics(s=s, g=self.features.global_(params, s))

    @functools.partial(jax.jit, static_argnums=0)
    def _separate(self, params: Any, mixture: Semantics, query: Query) -> Semantics:
        out = separate(
            self._separators,
            params["joint_separator"],
            (mixture.s, mixture.g),
            _condition(query),
            self.dtype,
        )
        return Semantics(s=out.s_hat, g=out.g_hat)

    @functools.partial(jax.jit, static_argnums=0)
    def _predict(self, params: Any, mixture: Semantics, query: Query, g: Any) -> Prediction:
        if g is None:
            found = self._separate(params, mixture, query)
        else:
            found = Semantics(s=self._separate_local(params, mixture.s, g, query), g=g)
        text = self.features.caption_vector(params, query.text)
        return Prediction(
            s=found.s,
            g=found.g,
            of_target=_cosine(self.features.audio_vector(params, found.s), text),
            of_mixture=_cosine(self.features.global_vector(params, mixture.g), text),
        )

    @functools.partial(jax.jit, static_argnums=0)
    def _judge(self, params: Any, audio: Any, query: Query, g: Any, by_text: Any) -> jax.Array:
        heard = self.features.audio_vector(params, self.features.local(params, audio))
        text = self.features.caption_vector(params, query.text)
        wanted = jnp.where(by_text[:, None], text, self.features.global_vector(params, g))
        return _cosine(heard, wanted)

    @functools.partial(jax.jit, static_argnums=0)
    def _separate_local(self, params: Any, s: Any, g: Any, query: Query) -> jax.Array:
        weights = params["joint_separator"]
        return separate_local(self._separators, weights, s, g, _condition(query), self.dtype)

    @functools.partial(jax.jit, static_argnums=0)
    def _encode(self, params: Any, audio: Any) -> jax.Array:
        tokens = self._codec.apply(params["tf_codec"], audio, method="encode")
        assert isinstance(tokens, jax.Array)
        return tokens

    @functools.partial(jax.jit, static_argnums=(0, 3))
    def _decode(self, params: Any, tokens: Any, samples: int) -> jax.Array:
        audio = self._codec.apply(params["tf_codec"], tokens, samples, method="decode")
        assert isinstance(audio, jax.Array)
        return jnp.clip(audio.astype(jnp.float32), -1.0, 1.0)


def _condition(query: Query) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    return query.text, query.text_mask, query.task, query.task_mask


def _cosine(a: jax.Array, b: jax.Array) -> jax.Array:
    """Of rows of unit length, [B, E] each -> [B]."""
    return jnp.einsum("be,be->b", a, b)


def window_samples(fbank: FbankConfig) -> int:
    """Samples of a window: the frames' span, cut to whole seconds for the paper's 10.24 s -> 10 s."""
    span = fbank.frames * 160
    return 160_000 if fbank.frames == 1024 else span
