"""A loaded system, compiled: any number of rows in, numpy out (HSM-TSS eq. (2) to (4)).

The only place that pads rows, clips and tokens to the static shapes of ``sampling.buckets``.

Legend: n rows, L samples, P patches, Ca width of S, Cg of G, H heads, T token frames, K groups.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.masking import HOP, WINDOW
from hsmtss_jax.audio.silence import noise_gate
from hsmtss_jax.bundles.networks import read_networks
from hsmtss_jax.bundles.pipeline import Pipeline
from hsmtss_jax.dist import check_process, compute_dtype, in_32_bits
from hsmtss_jax.inference.generator import CACHE_BYTES, WindowGenerator
from hsmtss_jax.inference.options import Mode, SeparateOptions
from hsmtss_jax.inference.stopwatch import Stopwatch
from hsmtss_jax.inference.system import System
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.models import hsm_tss
from hsmtss_jax.models.acoustic_decoder.model import FRAMES_PER_COLUMN
from hsmtss_jax.models.acoustic_decoder.sampler import TokenSampler
from hsmtss_jax.models.hsm_tss import Prediction, Query
from hsmtss_jax.models.mask_decoder import MaskDecoderConfig, MaskOutput
from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.models.text.tokenizer import Tokenizer
from hsmtss_jax.sampling import apply_in_batches, clip_sizes, round_up, trim_text
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.task import Task

MODES: tuple[Mode, ...] = ("mask", "generate", "blend")


class SeparationRuntime(System, Protocol):
    """Define what generating needs of a hierarchical system, ``Runtime`` or the fake one of ``testing``."""

    frame: int
    groups: int
    decodes_masks: bool

    def token_frames(self, samples: int) -> int: ...

    def clip_samples(self, samples: int) -> int: ...

    def encode_text(self, instructions: Sequence[Instruction]) -> Query: ...

    def encode_audio(self, audio: np.ndarray) -> Semantics: ...

    def predict(
        self, mixture: Semantics, query: Query, g: np.ndarray | None = None
    ) -> Prediction: ...

    def similarity(
        self, audio: np.ndarray, query: Query, g: np.ndarray, by_text: np.ndarray
    ) -> np.ndarray: ...

    def decode_mask(
        self, audio: np.ndarray, mixture: Semantics, target: Semantics, query: Query
    ) -> MaskOutput: ...

    def sample(
        self,
        s: np.ndarray,
        seeds: np.ndarray,
        policy: Policy,
        *,
        lengths: np.ndarray | None = None,
        forced: np.ndarray | None = None,
        forced_length: np.ndarray | None = None,
    ) -> np.ndarray: ...

    def decode_tokens(
        self, tokens: np.ndarray, samples: int, *, gate: bool = True
    ) -> np.ndarray: ...


class Runtime:
    """Run a pipeline bundle on a device.

    Attributes: pipeline, networks, device, dtype, batch (rows of one program), sample_rate [Hz], window
    [samples], frame (samples of a token frame), frames (token frames of a window), groups (K), max_text
    (tokens of a description), two_stage (False for the single-stage ablation), decodes_masks (whether the
    bundle holds a mask decoder).
    """

    sample_rate, modes = SAMPLE_RATE, MODES

    @in_32_bits
    def __init__(
        self,
        pipeline: Pipeline,
        dtype: Any = None,
        device: jax.Device | None = None,
        *,
        batch: int = 16,
    ) -> None:
        """Put the weights on a device [the default one].

        Args:
          pipeline: the loaded bundle.
          dtype: what the networks compute in; None: float32 on a CPU, else bfloat16.
          device: None: the default one.
          batch: rows that are computed at once; memory grows with it.
        """
        check_process()
        if batch < 1:
            raise ValueError(f"the batch must be at least 1, got {batch}")
        self.pipeline, self.batch = pipeline, batch
        self.device = device or jax.local_devices()[0]
        self.dtype = dtype or compute_dtype(device=self.device)
        networks = self.networks = read_networks(pipeline.bundles, self.dtype)
        codec = self._codec = networks.codec
        self.max_text, self.two_stage = networks.separators.max_text, networks.two_stage
        self.decodes_masks = networks.mask_decoder is not None
        _check_grid(networks.mask_decoder)
        self.window = networks.encoders.fbank.window_samples
        self.frame, self.groups = codec.frame_samples, codec.groups
        self.frames = codec.token_frames(self.window)
        self._clips = clip_sizes(self.window, FRAMES_PER_COLUMN * self.frame)
        self._tokenizer = Tokenizer.from_bundle(pipeline.bundles["text_encoder"])
        params: dict[str, Any] = {name: b.params for name, b in pipeline.bundles.items()}
        weights = jax.device_put(params.pop("acoustic_decoder"), self.device)
        self._sampler = TokenSampler(networks.decoder, weights, self.dtype)
        self._params = jax.device_put(params, self.device)
        self._text = self._program(hsm_tss.encode_query)
        self._audio = self._program(hsm_tss.encode_mixture)
        self._predict = self._program(hsm_tss.predict)
        self._similarity = self._program(hsm_tss.similarity)
        self._attention = self._program(hsm_tss.global_attention)
        self._mask = self._program(hsm_tss.decode_mask)
        self._tokens = self._program(hsm_tss.encode_tokens)
        self._decode = self._program(hsm_tss.decode, static_argnames="samples")

    @property
    def unit(self) -> int:
        """Return the samples that windows are multiples of: whole columns of S and frames of masks."""
        return window_unit(self.frame)

    def begin(
        self,
        options: SeparateOptions,
        instructions: Sequence[Instruction],
        stopwatch: Stopwatch,
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> WindowGenerator:
        """Begin a call for these instructions, as ``System.begin`` does."""
        return WindowGenerator(self, options, instructions, stopwatch, cache_bytes=cache_bytes)

    def token_frames(self, samples: int) -> int:
        """Return the token frames of a clip."""
        return int(self._codec.token_frames(samples))

    def clip_samples(self, samples: int) -> int:
        """Return the length of the shortest compiled clip that holds ``samples``."""
        return round_up(samples, self._clips)

    def encode_text(self, instructions: Sequence[Instruction]) -> Query:
        """Encode instructions, one a row. Raises ValueError for none."""
        ids, mask = self._tokenizer([each.description for each in instructions], self.max_text)
        tasks = np.array([Task(each.task).number for each in instructions], np.int32)

        def encode(ids: np.ndarray, mask: np.ndarray, tasks: np.ndarray) -> Query:
            return self._text(*trim_text(ids, mask), tasks)

        return self._batched(encode, ids, mask, tasks)

    def encode_audio(self, audio: np.ndarray) -> Semantics:
        """Compute S [n, P, Ca] and G [n, 1, Cg] of audio [n, L], L <= window."""
        return self._batched(self._audio, _pad(audio, self.window))

    def predict(self, mixture: Semantics, query: Query, g: np.ndarray | None = None) -> Prediction:
        """Predict the target's semantics row by row; given g [n, 1, Cg], by the local separator alone."""
        return self._batched(self._predict, mixture, query, *(() if g is None else (g,)))

    def similarity(
        self, audio: np.ndarray, query: Query, g: np.ndarray, by_text: np.ndarray
    ) -> np.ndarray:
        """Compute how near Q-Audio finds audio [n, L], L <= window, to what was asked for: cosines [n].

        Rows where by_text [n] is true are compared with the description, the others with g [n, 1, Cg].
        """
        return self._batched(self._similarity, _pad(audio, self.window), query, g, by_text)

    def attention(
        self, mixture: Semantics, query: Query, g: np.ndarray | None = None
    ) -> np.ndarray:
        """Return how G_hat, or g [n, 1, Cg], attends to the patches in the last layer: [n, H, P] (Fig. 6).

        Raises ValueError for the single-stage ablation, which has no G.
        """
        return self._batched(self._attention, mixture, query, *(() if g is None else (g,)))

    def decode_mask(
        self, audio: np.ndarray, mixture: Semantics, target: Semantics, query: Query
    ) -> MaskOutput:
        """Predict the target's mask on audio [n, L], L <= window, row by row: gains [n, T, F].

        Raises ValueError for a bundle without a mask decoder.
        """
        samples = audio.shape[1]
        out = self._batched(self._mask, _pad(audio, self.window), mixture, target, query)
        return MaskOutput(gains=out.gains[:, : samples // HOP + 1], presence=out.presence)

    @in_32_bits
    def sample(
        self,
        s: np.ndarray,
        seeds: np.ndarray,
        policy: Policy,
        *,
        lengths: np.ndarray | None = None,
        forced: np.ndarray | None = None,
        forced_length: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draw codec tokens int32 [n, T, K] for S [n, P, Ca], T of the shortest compiled clip.

        Args:
          s: S [n, P, Ca].
          seeds: uint32 [n]; a row's tokens depend on its own arguments alone.
          policy: how tokens are chosen.
          lengths: token frames of each row's clip [n]; None: of a whole window. Patches behind a clip's
            end are hidden where the decoder was trained so; frames behind it mean nothing.
          forced: tokens int32 [n, F, K] of which the first ``forced_length`` frames begin the clip.
          forced_length: int [n]; None: F.

        Raises ValueError for no rows, and for more frames than a window has.
        """
        rows, whole = len(s), self.frames
        counts = np.full(rows, whole) if lengths is None else np.asarray(lengths)
        sizes = [self.token_frames(clip) for clip in self._clips]
        frames = round_up(max(1, int(counts.max(initial=1))), sizes)
        tokens, given = self._forced(rows, frames, forced, forced_length)
        visible = np.asarray(hsm_tss.visible_patches(self.networks, jnp.asarray(counts)))

        def draw(*each: Any) -> jax.Array:
            s, visible, seeds, tokens, given = each
            return self._sampler(s, visible, seeds, policy, tokens, given)

        seeds = np.asarray(seeds, np.uint32)
        return self._batched(draw, s, visible, seeds, tokens, given)

    def encode_tokens(self, audio: np.ndarray) -> np.ndarray:
        """Compute the codec tokens int32 [n, T, K] of audio [n, L], L <= window."""
        samples = audio.shape[1]
        tokens: np.ndarray = self._batched(self._tokens, _pad(audio, self.clip_samples(samples)))
        return tokens[:, : self.token_frames(samples)]

    def decode_tokens(self, tokens: np.ndarray, samples: int, *, gate: bool = True) -> np.ndarray:
        """Decode tokens [n, T, K] into sound float32 [n, samples] in [-1, 1], samples <= window.

        gate: put digital silence where the sound is below the codec's noise floor.
        """
        clip = self.clip_samples(samples)
        tokens = _pad(tokens, self.token_frames(clip))
        audio: np.ndarray = self._batched(functools.partial(self._decode, samples=clip), tokens)
        if gate:
            audio = noise_gate(audio, self.sample_rate)
        return audio[:, :samples]

    def _program(self, function: Any, **options: Any) -> Any:
        """Compile a function of (networks, params, ...)."""
        compiled = jax.jit(functools.partial(function, self.networks), **options)
        return functools.partial(compiled, self._params)

    @in_32_bits
    def _batched(self, function: Any, *trees: Any) -> Any:
        check_process()
        return apply_in_batches(function, *trees, limit=self.batch)

    def _forced(
        self, rows: int, frames: int, tokens: np.ndarray | None, length: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return forced tokens padded to [n, frames, K], and how many frames of each row count [n]."""
        if tokens is None:
            tokens = np.zeros((rows, 0, self.groups), np.int32)
        given = np.full(rows, tokens.shape[1]) if length is None else np.asarray(length)
        if given.max(initial=0) > frames:
            raise ValueError(f"{given.max()} forced frames do not fit in {frames} frames")
        return _pad(np.asarray(tokens, np.int32), frames), given.astype(np.int32)


def window_unit(frame: int) -> int:
    """Return the samples that hold whole columns of S, token frames of ``frame`` and frames of masks."""
    return math.lcm(FRAMES_PER_COLUMN * frame, HOP)


def _check_grid(decoder: MaskDecoderConfig | None) -> None:
    """Raise ValueError for a mask decoder whose gains lie elsewhere than those of recordings."""
    if decoder is not None and (decoder.n_fft, decoder.hop) != (WINDOW, HOP):
        raise ValueError(
            f"the mask decoder's spectrum has windows of {decoder.n_fft} samples every {decoder.hop}, "
            f"recordings are masked with {WINDOW} every {HOP}: train it with these"
        )


def _pad(x: np.ndarray, length: int) -> np.ndarray:
    """Cut or pad with zeros the second axis of x [n, l, ...] to ``length``."""
    rest = max(0, length - x.shape[1])
    return np.pad(x[:, :length], ((0, 0), (0, rest), *((0, 0),) * (x.ndim - 2)))
