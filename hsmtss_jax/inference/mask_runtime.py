"""A mask separator on a device: channels and a query in, the described sound out, any number of rows.

AudioSep and networks of its kind. The sound is the recording's own, in phase with it; what is left when it
is taken away is the rest.

Legend: n rows, L samples, E width of a query.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from hsmtss_jax.bundles.pipeline import Pipeline
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.dist import check_process, compute_dtype, in_32_bits
from hsmtss_jax.inference.options import Mode, SeparateOptions
from hsmtss_jax.inference.stopwatch import Stopwatch
from hsmtss_jax.inference.waveform import WaveformSeparator
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.models.mask_separator import MaskSeparatorConfig
from hsmtss_jax.models.text.query import QueryEncoder, make_query_encoder
from hsmtss_jax.models.text.tokenizer import Tokenizer
from hsmtss_jax.nn.apply import apply
from hsmtss_jax.sampling import apply_in_batches, clip_sizes, round_up, trim_text

WINDOW = 10  # [s] of the longest window: that of the clips that such networks are measured on


class MaskRuntime:
    """Run a mask separator and its query encoder; see ``System`` for the attributes."""

    modes: tuple[Mode, ...] = ("mask",)

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
          batch: rows that are computed at once; memory grows with it. A CPU computes one after the other,
            each with all of its cores.
        """
        check_process()
        if batch < 1:
            raise ValueError(f"the batch must be at least 1, got {batch}")
        self.pipeline, self.batch = pipeline, batch
        self.device = device or jax.local_devices()[0]
        self.dtype = dtype or compute_dtype(device=self.device)
        network, query = (pipeline.bundles[role] for role in ("mask_separator", "text_encoder"))
        self.config = from_dict(MaskSeparatorConfig, network.config["model"])
        self.sample_rate, self.unit = self.config.sample_rate, self.config.hop
        self.window = WINDOW * self.sample_rate // self.unit * self.unit
        self._rows = mask_rows(batch, self.device.platform)
        self._clips = clip_sizes(self.window, self.unit)
        self._encoder = make_query_encoder(query.stage, query.config)
        self._tokenizer = Tokenizer.from_bundle(query)
        params = {"network": network.params, "query": query.params}
        self._params: Mapping[str, Any] = jax.device_put(params, self.device)
        self._text = jax.jit(functools.partial(_encode, self._encoder, self.dtype))
        self._network = jax.jit(functools.partial(_separate, self.config, self.dtype))

    def begin(
        self,
        options: SeparateOptions,
        instructions: Sequence[Instruction],
        stopwatch: Stopwatch,
        *,
        cache_bytes: int = 0,
    ) -> WaveformSeparator:
        """Begin a call for these instructions, as ``System.begin`` does; nothing is kept of a survey."""
        del cache_bytes
        return WaveformSeparator(self, options, instructions, stopwatch)

    @in_32_bits
    def encode_text(self, descriptions: Sequence[str]) -> np.ndarray:
        """Encode descriptions as queries float32 [n, E]. Raises ValueError for none."""
        ids, mask = self._tokenizer(descriptions, self._encoder.max_tokens)

        def encode(ids: np.ndarray, mask: np.ndarray) -> jax.Array:
            return self._text(self._params["query"], *trim_text(ids, mask))

        queries: np.ndarray = apply_in_batches(encode, ids, mask, limit=self.batch)
        return queries

    @in_32_bits
    def separate(self, audio: np.ndarray, query: np.ndarray) -> np.ndarray:
        """Extract the sound that query [n, E] describes from audio [n, L], L <= window: float32 [n, L]."""
        samples = audio.shape[1]
        padded = np.pad(audio, ((0, 0), (0, round_up(samples, self._clips) - samples)))
        network = functools.partial(self._network, self._params["network"])
        sounds: np.ndarray = apply_in_batches(network, padded, query, limit=self._rows)
        return sounds[:, :samples]


def mask_rows(batch: int, platform: str) -> int:
    """Return how many rows are computed at once: a CPU has no use for more than one."""
    return 1 if platform == "cpu" else batch


def _encode(encoder: QueryEncoder, dtype: Any, params: Any, ids: Any, mask: Any) -> jax.Array:
    return encoder(params, ids, mask, dtype)


def _separate(
    config: MaskSeparatorConfig, dtype: Any, variables: Any, audio: Any, query: Any
) -> jax.Array:
    return apply(config.make(dtype), variables, audio, query, out=jax.Array)
