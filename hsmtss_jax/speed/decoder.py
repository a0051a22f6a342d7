"""Time the acoustic decoder's sampler against memory bandwidth, bare products and PyTorch.

Legend: B batch, P patches, C audio width, T frames, S cache slots, D width, L layers.
"""

import dataclasses
import functools
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.metrics.tables import Cell, Column, Row, Table
from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
from hsmtss_jax.models.acoustic_decoder.sampler import draw, first_capacity, segments
from hsmtss_jax.models.acoustic_decoder.step import DecodeCache, prefill
from hsmtss_jax.models.acoustic_decoder.weights import (
    FORMS,
    AttentionForm,
    DecodeForm,
    DecodeWeights,
    prepare_decode,
)
from hsmtss_jax.sampling import Generated, Policy
from hsmtss_jax.speed import memory
from hsmtss_jax.speed.bare_products import bare_loop, stack_layers, stacked_loop, step_bytes
from hsmtss_jax.speed.decoder_peer import Peer, make_peer
from hsmtss_jax.speed.timing import COMPILE

BARE_STEPS = 16
COLUMNS = (
    Column("rate", "frames/s", decimals=1),
    Column("bandwidth_share", "of bandwidth (%)", decimals=0, scale=100),
    Column("bare_rate", "bare products, frames/s", decimals=1),
    Column("bare_share", "of them (%)", decimals=0, scale=100),
    Column("peer_rate", "PyTorch, frames/s"),
    Column("times_peer", "times PyTorch"),
    Column("prefill", "prefill (s)"),
    Column("peer_prefill", "PyTorch's (s)"),
    COMPILE,
    Column("peak_bytes", "peak memory (GB)", scale=1e-9),
)


@dataclasses.dataclass(frozen=True)
class DecoderRow:
    """Store the measurements of one batch size. All times are medians of one call [s].

    decode: ``frames`` steps, sampling included. bare: ``BARE_STEPS`` steps of the products alone.
    step_bytes: weights and filled cache that a step reads, on average. bandwidth: of a large read [byte/s].
    peer: PyTorch's time for as many steps after its prefill; peer_cache: the faster of its two.
    """

    batch: int
    frames: int
    prefill: float
    decode: float
    bare: float
    compile_seconds: float
    step_bytes: float
    bandwidth: float
    peak_bytes: int
    peer: float | None = None
    peer_prefill: float | None = None
    peer_cache: str = ""

    @property
    def rate(self) -> float:
        """Return the frames/s of all rows together."""
        return self.batch * self.frames / self.decode

    @property
    def bare_rate(self) -> float:
        return self.batch * BARE_STEPS / self.bare

    @property
    def bandwidth_share(self) -> float:
        """Return the bytes that the steps must read, divided by what could be read in their time."""
        return self.step_bytes * self.frames / self.decode / self.bandwidth

    @property
    def peer_rate(self) -> float | None:
        return None if self.peer is None else self.batch * self.frames / self.peer


@dataclasses.dataclass(frozen=True)
class Case:
    """Hold the compiled programs of one batch size, their times, and peak memory.

    in_place: whether ``decode`` donates its cache.
    """

    batch: int
    frames: int
    in_place: bool
    read: Callable[[], DecodeCache]
    decode: Callable[[DecodeCache], Generated]
    bare: Callable[[], Any]
    prefill_seconds: float
    compile_seconds: float
    peak_bytes: int


def random_weights(
    config: AcousticDecoderConfig,
    dtype: Any,
    form: DecodeForm | None = None,
    attention: AttentionForm | None = None,
) -> DecodeWeights:
    """Create prepared weights of the config's sizes, normal with deviation 0.02, norms around one."""
    s = jax.ShapeDtypeStruct((1, config.patches, config.audio_width), jnp.float32)
    tokens = jax.ShapeDtypeStruct((1, 1, config.groups), jnp.int32)
    shapes = jax.eval_shape(config.make().init, jax.random.key(0), s, tokens)["params"]
    rng = np.random.default_rng(0)

    def leaf(path: Any, shape: Any) -> np.ndarray:
        values = 0.02 * rng.standard_normal(shape.shape, np.float32)
        return values + 1.0 if path[-1].key == "scale" else values

    params = jax.tree_util.tree_map_with_path(leaf, shapes)
    prepare = jax.jit(
        functools.partial(prepare_decode, config, dtype=dtype, form=form, attention=attention)
    )
    return jax.block_until_ready(prepare(params))


def make_case(
    config: AcousticDecoderConfig, weights: DecodeWeights, batch: int, frames: int, policy: Policy
) -> Case:
    """Compile prefill, steps and bare products of one batch size, and run each once.

    Args:
      config: of the decoder.
      weights: prepared weights.
      batch: B.
      frames: T.
      policy: of sampling.
    """
    patches = jax.random.normal(
        jax.random.key(1), (batch, config.patches, config.audio_width), jnp.float32
    )
    seeds = jnp.arange(batch, dtype=jnp.uint32)

    def read(weights: DecodeWeights, patches: jax.Array) -> Any:
        return prefill(config, weights, patches, frames, room=first_capacity(batch, frames))

    def decode(weights: DecodeWeights, cache: Any, seeds: jax.Array) -> Any:
        return draw(config, weights, cache, frames, seeds, policy)

    begun = time.perf_counter()
    read_program = jax.jit(read).lower(weights, patches).compile()
    empty = jax.eval_shape(read, weights, patches)
    donated = 1 if segments(batch, frames) == 1 else ()
    program = jax.jit(decode, donate_argnums=donated).lower(weights, empty, seeds).compile()
    compile_seconds = time.perf_counter() - begun
    x = jnp.ones((config.width, batch), weights.embedding.dtype)
    products = jax.jit(bare_loop(BARE_STEPS)).lower(weights, x).compile()

    memory.forget_peak()
    jax.block_until_ready(read_program(weights, patches))
    prefill_seconds = _seconds(lambda: read_program(weights, patches))
    jax.block_until_ready(program(weights, read_program(weights, patches), seeds))
    peak = memory.peak_bytes()
    jax.block_until_ready(products(weights, x))
    return Case(
        batch=batch,
        frames=frames,
        in_place=bool(donated),
        read=lambda: read_program(weights, patches),
        decode=lambda cache: program(weights, cache, seeds),
        bare=lambda: products(weights, x),
        prefill_seconds=prefill_seconds,
        compile_seconds=compile_seconds,
        peak_bytes=peak,
    )


def benchmark(
    config: AcousticDecoderConfig,
    dtype: Any,
    *,
    batches: Sequence[int],
    frames: int,
    repeats: int,
    policy: Policy,
    peer: bool,
    form: DecodeForm | None = None,
    attention: AttentionForm | None = None,
) -> list[DecoderRow]:
    """Measure one row per batch size; with ``peer`` also PyTorch, interleaved with ours.

    Args:
      config: of the decoder.
      dtype: compute dtype.
      batches: batch sizes.
      frames: T.
      repeats: timed calls of each.
      policy: of sampling.
      peer: also time PyTorch.
      form: layout of the weights, default ``default_form()``.
      attention: contraction with the cache, default ``default_attention()``.
    """
    weights = random_weights(config, dtype, form, attention)
    cases = [make_case(config, weights, batch, frames, policy) for batch in sorted(batches)]
    other = make_peer(config, frames, policy) if peer else None
    reader = memory.Reader()
    return [_measure(config, weights, case, repeats, reader, other) for case in cases]


def _measure(
    config: AcousticDecoderConfig,
    weights: DecodeWeights,
    case: Case,
    repeats: int,
    reader: memory.Reader,
    peer: Peer | None,
) -> DecoderRow:
    """Time everything interleaved, so that drift of the machine's speed affects all equally.

    Args:
      config: of the decoder.
      weights: prepared weights.
      case: compiled programs.
      repeats: timed calls of each.
      reader: measures memory bandwidth.
      peer: PyTorch's model, or None.
    """
    kept = peer.faster_cache(case.batch) if peer else ""
    cache = jax.block_until_ready(case.read())
    decode, bare, rates, others = [], [], [], []
    for _ in range(repeats):
        begun = time.perf_counter()
        drawn = jax.block_until_ready(case.decode(cache))
        decode.append(time.perf_counter() - begun)
        if case.in_place:  # the donated cache comes back; the next call overwrites its frames
            cache = dataclasses.replace(drawn.cache, frame=jnp.zeros((), jnp.int32))
        del drawn
        bare.append(_seconds(case.bare))
        rates.append(reader.rate())
        if peer:
            others.append(peer.times(case.batch, case.frames, kept))
    return DecoderRow(
        batch=case.batch,
        frames=case.frames,
        prefill=case.prefill_seconds,
        decode=statistics.median(decode),
        bare=statistics.median(bare),
        compile_seconds=case.compile_seconds,
        step_bytes=step_bytes(weights) + cache_bytes(config, case.batch, case.frames, weights),
        bandwidth=statistics.median(rates),
        peak_bytes=case.peak_bytes,
        peer=statistics.median(times.decode for times in others) if others else None,
        peer_prefill=statistics.median(times.prefill for times in others) if others else None,
        peer_cache=kept,
    )


def cache_bytes(
    config: AcousticDecoderConfig, batch: int, frames: int, weights: DecodeWeights
) -> float:
    """Compute the bytes of filled slots that a step reads, averaged over ``frames`` steps."""
    slots = (frames + 1) / 2
    slots += config.patches * (config.has_prefix + (config.condition == "cross"))
    return 2.0 * config.depth * batch * slots * config.width * weights.embedding.dtype.itemsize


def compare_forms(
    config: AcousticDecoderConfig, dtype: Any, batches: Sequence[int], repeats: int
) -> dict[str, list[float]]:
    """Measure frames/s of the bare products at each batch size, for each form of the weights."""
    rates: dict[str, list[float]] = {}
    for form in FORMS:
        weights = random_weights(config, dtype, form)
        rates[form] = [_bare_rate(bare_loop, weights, config.width, b, repeats) for b in batches]
        if form == "batch_last":
            stacked = stack_layers(weights)
            rates["batch_last, inner scan"] = [
                _bare_rate(stacked_loop, stacked, config.width, b, repeats) for b in batches
            ]
    return rates


def _bare_rate(loop: Any, weights: Any, width: int, batch: int, repeats: int) -> float:
    x = jnp.ones((width, batch), jax.tree.leaves(weights)[0].dtype)
    program = jax.jit(loop(BARE_STEPS)).lower(weights, x).compile()
    seconds = [_seconds(lambda: program(weights, x)) for _ in range(repeats + 1)][1:]
    return batch * BARE_STEPS / statistics.median(seconds)


def _seconds(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - begun


def table(rows: Sequence[DecoderRow]) -> Table:
    """Return the table of ``benchmark``."""
    return Table(COLUMNS, [Row(str(row.batch), _cells(row)) for row in rows], corner="batch")


def _cells(row: DecoderRow) -> dict[str, Cell]:
    rate = row.peer_rate
    return {
        "rate": row.rate,
        "bandwidth_share": row.bandwidth_share,
        "bare_rate": row.bare_rate,
        "bare_share": row.rate / row.bare_rate,
        "peer_rate": None if rate is None else f"{rate:.1f} ({row.peer_cache} cache)",
        "times_peer": None if rate is None else row.rate / rate,
        "prefill": row.prefill,
        "peer_prefill": row.peer_prefill,
        "compile_seconds": row.compile_seconds,
        "peak_bytes": row.peak_bytes,
    }


def forms_table(rates: Mapping[str, Sequence[float]], batches: Sequence[int]) -> Table:
    """Return the table of ``compare_forms``."""
    columns = [Column(str(batch), str(batch), decimals=1) for batch in batches]
    rows = [
        Row(form, dict(zip(map(str, batches), row, strict=True))) for form, row in rates.items()
    ]
    return Table(columns, rows, corner="bare products, frames/s at batch")
