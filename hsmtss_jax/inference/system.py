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
from hsmtss_jax.inference.separators import make_separators
from hsmtss_jax.inference.silence import noise_gate
from hsmtss_jax.models.acoustic_decoder import AcousticDecoderConfig
from hsmtss_jax.models.tf_codec import TFCodecConfig
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.stages.acoustic_sampling import TokenSampler
from hsmtss_jax.stages.features import Features


@flax.struct.dataclass
class Query:
    """What was asked, one row a window. text: T_cap [B, N, Cg]; task: T_task [B, L, Ct]; bool masks.

    raw: the text encoder's outputs [B, N - 1, Ct], which the single-stage ablation reads for T_cap.
    """

    text: jax.Array
    text_mask: jax.Array
    task: jax.Array
    task_mask: jax.Array
    raw: jax.Array | None = None


@flax.struct.dataclass
class Semantics:
    """Semantic features. s: local [B, P, Ca]; g: global [B, 1, Cg]."""

    s: jax.Array
    g: jax.Array


class System:
    """A loaded pipeline, ready to run on the default device.

    Attributes: window (samples of one window), frame (samples of one token frame), frames (token
    frames of a window), sample_rate, dtype, two_stage (False for the single-stage ablation).
    """

    sample_rate = 16000

    def __init__(self, pipeline: Pipeline, dtype: Any = None) -> None:
        on_cpu = jax.default_backend() == "cpu"
        self.dtype = dtype or (jnp.float32 if on_cpu else jnp.bfloat16)
        bundles = pipeline.bundles
        self.pipeline = pipeline
        self.features = Features(bundles, self.dtype)
        self.tokenizer = Tokenizer.from_bundle(bundles["text_encoder"])
        self._separators = make_separators(bundles, self.features)
        self.max_text = self._separators.max_text
        self.two_stage = self._separators.two_stage
        self.codec_config = from_dict(TFCodecConfig, bundles["tf_codec"].config["model"])
        self._codec = self.codec_config.make(self.dtype)
        decoder = bundles["acoustic_decoder"].config["model"]
        self.decoder_config = from_dict(AcousticDecoderConfig, decoder)
        self.window = window_samples(self.features.fbank)
        self.frames = self.codec_config.token_frames(self.window)
        self.frame = self.codec_config.hop * self.codec_config.frames_per_token
        self._params = jax.device_put({name: bundle.params for name, bundle in bundles.items()})
        weights = self._params.pop("acoustic_decoder")
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
        """The global, then the local separator: the predicted semantics of the target.

        The single-stage ablation predicts S alone; its G is what Q-Audio reads in that S.
        """
        return self._separate(self._params, mixture, query)

    def separate_local(self, mixture: Semantics, g: jax.Array, query: Query) -> jax.Array:
        """The local separator alone, conditioned on g [B, 1, Cg] -> S_hat [B, P, Ca].

        The single-stage ablation gives the same whatever g is.
        """
        return self._separate_local(self._params, mixture.s, g, query)

    def attention(self, mixture: Semantics, query: Query) -> jax.Array:
        """How G, as predicted, attends to the patches in the last layer: [B, H, P] (the paper's Fig. 6).

        Raises ValueError for the single-stage ablation, which has no G.
        """
        return self._attention(self._params, mixture, query)

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
        raw = None if self.two_stage else self.features.raw_text(params, ids, mask)
        return Query(text=text, text_mask=text_mask, task=task, task_mask=task_mask, raw=raw)

    @functools.partial(jax.jit, static_argnums=0)
    def _listen(self, params: Any, audio: Any) -> Semantics:
        s = self.features.local(params, audio)
        return Semantics(s=s, g=self.features.global_(params, s))

    @functools.partial(jax.jit, static_argnums=0)
    def _separate(self, params: Any, mixture: Semantics, query: Query) -> Semantics:
        s, g = self._separators.separate(params, (mixture.s, mixture.g), _condition(query))
        return Semantics(s=s, g=g)

    @functools.partial(jax.jit, static_argnums=0)
    def _separate_local(self, params: Any, s: Any, g: Any, query: Query) -> jax.Array:
        return self._separators.separate_local(params, s, g, _condition(query))

    @functools.partial(jax.jit, static_argnums=0)
    def _attention(self, params: Any, mixture: Semantics, query: Query) -> jax.Array:
        return self._separators.attention(params, (mixture.s, mixture.g), _condition(query))

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
    if query.raw is not None:  # T_cap has its [CLS] in front of the tokens
        return query.raw, query.text_mask[:, 1:], query.task, query.task_mask
    return query.text, query.text_mask, query.task, query.task_mask


def window_samples(fbank: FbankConfig) -> int:
    """Samples of a window: the frames' span, cut to whole seconds for the paper's 10.24 s -> 10 s."""
    span = fbank.frames * 160
    return 160_000 if fbank.frames == 1024 else span
