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
from hsmtss_jax.audio.silence import noise_gate
from hsmtss_jax.bundles.networks import read_networks
from hsmtss_jax.bundles.pipeline import Pipeline
from hsmtss_jax.dist import compute_dtype
from hsmtss_jax.models import hsm_tss
from hsmtss_jax.models.acoustic_decoder.sampler import TokenSampler
from hsmtss_jax.models.hsm_tss import Query
from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.models.text.tokenizer import Tokenizer
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.task import Task


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
    frames of a window), codec, sample_rate, device, dtype (float32 on a CPU, else bfloat16),
    two_stage (False for the single-stage ablation).
    """

    sample_rate = 16000

    def __init__(
        self, pipeline: Pipeline, dtype: Any = None, device: jax.Device | None = None
    ) -> None:
        self.device = device or jax.local_devices()[0]
        self.dtype = dtype or compute_dtype(device=self.device)
        bundles = pipeline.bundles
        self.pipeline = pipeline
        self.networks = read_networks(bundles, self.dtype)
        self.tokenizer = Tokenizer.from_bundle(bundles["text_encoder"])
        self.max_text = self.networks.separators.max_text
        self.two_stage = self.networks.two_stage
        self.codec = self.networks.codec
        self.decoder_config = self.networks.decoder
        self.window = window_samples(self.networks.encoders.fbank)
        self.frames = self.codec.token_frames(self.window)
        self.frame = self.codec.frame_samples
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
        numbers = np.array([Task(task).number for task in tasks], np.int32)
        return self._query(self._params, ids, mask, numbers)

    def listen(self, audio: np.ndarray) -> Semantics:
        """AudioMAE and Q-Audio of audio [B, L] with L = window."""
        return self._listen(self._params, audio)

    def separate(self, mixture: Semantics, query: Query) -> Semantics:
        """The global, then the local separator: the predicted semantics of the target.

        The single-stage ablation predicts S alone; its G is what Q-Audio reads in that S.
        """
        return self._separate(self._params, mixture, query)

    def predict(self, mixture: Semantics, query: Query, g: np.ndarray | None = None) -> Prediction:
        """``separate``, or ``separate_local`` given g [B, 1, Cg], and how near it came to the words."""
        return self._predict(self._params, mixture, query, g)

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
        return hsm_tss.encode_query(self.networks, params, ids, mask, tasks)

    @functools.partial(jax.jit, static_argnums=0)
    def _listen(self, params: Any, audio: Any) -> Semantics:
        return self.networks.encoders.encode(params, audio)

    @functools.partial(jax.jit, static_argnums=0)
    def _separate(self, params: Any, mixture: Semantics, query: Query) -> Semantics:
        return hsm_tss.separate(self.networks, params, mixture, query)

    @functools.partial(jax.jit, static_argnums=0)
    def _predict(self, params: Any, mixture: Semantics, query: Query, g: Any) -> Prediction:
        found = hsm_tss.separate(self.networks, params, mixture, query, g)
        encoders = self.networks.encoders
        return Prediction(
            s=found.s,
            g=found.g,
            of_target=_cosine(encoders.audio_vector(params, found.s), query.vector),
            of_mixture=_cosine(encoders.global_vector(params, mixture.g), query.vector),
        )

    @functools.partial(jax.jit, static_argnums=0)
    def _judge(self, params: Any, audio: Any, query: Query, g: Any, by_text: Any) -> jax.Array:
        encoders = self.networks.encoders
        heard = encoders.audio_vector(params, encoders.local(params, audio))
        predicted = encoders.global_vector(params, g)
        return _cosine(heard, jnp.where(by_text[:, None], query.vector, predicted))

    @functools.partial(jax.jit, static_argnums=0)
    def _separate_local(self, params: Any, s: Any, g: Any, query: Query) -> jax.Array:
        return hsm_tss.separate_local(self.networks, params, Semantics(s=s, g=g), g, query)

    @functools.partial(jax.jit, static_argnums=0)
    def _attention(self, params: Any, mixture: Semantics, query: Query) -> jax.Array:
        return hsm_tss.global_attention(self.networks, params, mixture, query)

    @functools.partial(jax.jit, static_argnums=0)
    def _encode(self, params: Any, audio: Any) -> jax.Array:
        return self.codec.encode(params["tf_codec"], audio)

    @functools.partial(jax.jit, static_argnums=(0, 3))
    def _decode(self, params: Any, tokens: Any, samples: int) -> jax.Array:
        return hsm_tss.decode(self.networks, params, tokens, samples)


def _cosine(a: jax.Array, b: jax.Array) -> jax.Array:
    """Of rows of unit length, [B, E] each -> [B]."""
    return jnp.einsum("be,be->b", a, b)


def window_samples(fbank: FbankConfig) -> int:
    """Samples of a window: the frames' span, cut to whole seconds for the paper's 10.24 s -> 10 s."""
    span = fbank.frames * 160
    return 160_000 if fbank.frames == 1024 else span
