"""Time TF-Codec: encoding and decoding, its training step, and the same network in PyTorch.

Legend: B batch, L samples, N token frames, K groups.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from hsmtss_jax import dist
from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.config import ExperimentConfig
from hsmtss_jax.metrics.tables import Cell, Column, Row, Table
from hsmtss_jax.models.tf_codec.model import TFCodecConfig
from hsmtss_jax.speed.timing import (
    COMPILE,
    SECONDS,
    Compiled,
    Timing,
    compiled,
    in_turn,
    time_step,
)
from hsmtss_jax.stages import stage_class
from hsmtss_jax.train.plan import jit_step, prepare

COLUMNS = (
    SECONDS,
    COMPILE,
    Column("real_time_factor", "real-time factor", decimals=1),
    Column("times_ours", "times ours", decimals=1),
)


@dataclasses.dataclass(frozen=True)
class CodecTiming:
    """Store one row of the table.

    audio_seconds: of audio per call, all clips of the batch together [s]; peer: a PyTorch row.
    """

    name: str
    timing: Timing
    audio_seconds: float
    peer: bool = False

    @property
    def real_time_factor(self) -> float:
        """Return seconds of audio per second."""
        return self.audio_seconds / self.timing.seconds


def benchmark(
    config: ExperimentConfig,
    dtype: Any,
    *,
    seconds: float,
    batch: int,
    repeats: int,
    peer: bool,
    step: bool,
) -> list[CodecTiming]:
    """Time encoding, decoding and both, of ``batch`` clips.

    Args:
      config: of the experiment.
      dtype: compute dtype.
      seconds: duration of a clip [s].
      batch: B.
      repeats: timed calls of each.
      peer: also time PyTorch, interleaved with ours.
      step: also time the config's training step on ``batch`` crops.

    Raises ValueError for a config that holds no codec of its own.
    """
    model = getattr(config.stage, "model", None)
    if not isinstance(model, TFCodecConfig):
        raise ValueError(
            f"the config of {config.stage.name} does not say the codec's sizes: give configs/tf_codec.py"
        )
    noise = np.random.default_rng(0).normal(0.0, 0.1, (batch, round(seconds * SAMPLE_RATE)))
    audio = noise.astype(np.float32)
    ours = _ours(model, dtype, audio)
    peers = _torch(model, audio) if peer else []
    taken = in_turn([*ours, *peers], repeats)
    encode, decode = (
        Timing(own, part.compile_seconds) for own, part in zip(taken, ours, strict=False)
    )
    length = audio.size / SAMPLE_RATE
    rows = _rows("", [encode, decode], length)
    if peer:
        encode, decode, published = map(Timing, taken[len(ours) :])
        rows += _rows(", PyTorch", [encode, decode], length, peer=True)
        rows += _rows(", PyTorch as published", [encode, published], length, peer=True)[1:]
    return [*rows, _step(config, dtype, batch, repeats)] if step else rows


def _ours(config: TFCodecConfig, dtype: Any, audio: np.ndarray) -> list[Compiled]:
    """Compile encoding and decoding."""
    module, samples = config.make(dtype), audio.shape[1]
    variables = _weights(config)

    def encode(variables: Any, x: jax.Array) -> Any:
        return module.apply(variables, x, method="encode")

    def decode(variables: Any, tokens: jax.Array) -> Any:
        return module.apply(variables, tokens, samples, method="decode")

    shape = (len(audio), config.token_frames(samples), config.groups)
    tokens = np.random.default_rng(1).integers(0, config.codes, shape, np.int32)
    return [compiled(encode, variables, audio), compiled(decode, variables, tokens)]


def _weights(config: TFCodecConfig) -> Any:
    """Create variables of random numbers of a plausible scale (nothing is compiled for them)."""
    audio = jax.ShapeDtypeStruct((1, config.hop), np.float32)
    shapes = jax.eval_shape(lambda x: config.make().init(jax.random.key(0), x), audio)
    rng = np.random.default_rng(1)

    def draw(path: Any, leaf: Any) -> np.ndarray:
        around = 1.0 if path[-1].key in ("var", "scale") else 0.0
        return rng.normal(around, 0.05, leaf.shape).astype(np.float32)

    return jax.device_put(jax.tree_util.tree_map_with_path(draw, shapes))


def _torch(config: TFCodecConfig, audio: np.ndarray) -> list[Callable[[], None]]:
    """Return calls of PyTorch, on CUDA where available.

    Encoding; decoding with codes looked up; decoding as in the public code, which multiplies every codebook
    by a one-hot.
    """
    try:
        import torch

        from hsmtss_jax.speed.torch_tf_codec import TorchTFCodec
    except ImportError as error:
        raise ValueError(
            "the comparison needs torch: pip install 'hsmtss-jax[parity]', or leave --peer out"
        ) from error
    cuda = torch.cuda.is_available()
    model = TorchTFCodec(config).eval().to("cuda" if cuda else "cpu")
    x = torch.from_numpy(audio).to("cuda" if cuda else "cpu")
    samples = audio.shape[1]
    with torch.inference_mode():
        tokens = model.encode(x)

    def waiting(call: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            with torch.inference_mode():
                call()
            if cuda:
                torch.cuda.synchronize()

        return run

    return [
        waiting(lambda: model.encode(x)),
        waiting(lambda: model.decode(tokens, samples)),
        waiting(lambda: model.decode(tokens, samples, published=True)),
    ]


def _rows(
    suffix: str, timings: Sequence[Timing], audio_seconds: float, peer: bool = False
) -> list[CodecTiming]:
    """Return rows of encoding, decoding, and the two together."""
    both = Timing(sum(t.seconds for t in timings), sum(t.compile_seconds for t in timings))
    names = ("encode", "decode", "encode + decode")
    return [
        CodecTiming(name + suffix, timing, audio_seconds, peer)
        for name, timing in zip(names, [*timings, both], strict=True)
    ]


def _step(config: ExperimentConfig, dtype: Any, batch: int, repeats: int) -> CodecTiming:
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, batch_size=batch))
    stage = stage_class(config.stage.name)(config.stage, config.data, dtype=dtype)
    plan = prepare(config, stage)
    spec = stage.batch_spec()
    noise = np.random.default_rng(2).normal(0.0, 0.1, spec["audio"].shape).astype(np.float32)
    length = np.full(spec["length"].shape, noise.shape[1], np.int32)
    data = dist.put_batch(plan.mesh, {"audio": noise, "length": length})
    with jax.set_mesh(plan.mesh):
        step, rest = jit_step(plan), (data, plan.step_frozen, plan.key)
        timing = time_step(step.jitted, plan.init(), *rest, repeats=repeats, before=(step.rates,))
    return CodecTiming("training step", timing, noise.size / SAMPLE_RATE)


def table(rows: Sequence[CodecTiming]) -> Table:
    """Return the table; the last column is a PyTorch row's time divided by our row's."""
    ours = {row.name: row.timing.seconds for row in rows if not row.peer}
    return Table(COLUMNS, [Row(row.name, _cells(row, ours)) for row in rows])


def _cells(row: CodecTiming, ours: Mapping[str, float]) -> dict[str, Cell]:
    same = ours.get(row.name.split(",")[0])
    return {
        "seconds": row.timing.seconds,
        "compile_seconds": row.timing.compile_seconds or None,
        "real_time_factor": row.real_time_factor,
        "times_ours": row.timing.seconds / same if row.peer and same else None,
    }
