"""Time AudioMAE: the encoder's forward pass and the pre-training step.

Legend: B batch, N tokens, K kept tokens, D encoder width, E decoder width, L layers, X pixels of a patch.
"""

import dataclasses
from typing import Any

import jax
import numpy as np

from hsmtss_jax import dist
from hsmtss_jax.config import ExperimentConfig
from hsmtss_jax.models.audio_mae import AudioMAE, AudioMAEConfig
from hsmtss_jax.speed.timing import (
    Compiled,
    LargeProduct,
    Measured,
    Timing,
    compiled,
    in_turn,
    time_step,
)
from hsmtss_jax.speed.torch_peers import vit_calls
from hsmtss_jax.stages import stage_class
from hsmtss_jax.train.plan import jit_step, prepare


def stack_flop(tokens: int, width: int, depth: int) -> float:
    """Count the FLOP of a transformer stack's forward pass over one example.

    Projections, MLP and both products of attention, which our windowed attention does not reduce.
    """
    return depth * (24.0 * tokens * width**2 + 4.0 * tokens**2 * width)


def forward_flop(config: AudioMAEConfig) -> float:
    """Count the FLOP of ``encode`` for one window."""
    n, pixels = config.patches, config.patch**2
    return stack_flop(n, config.width, config.depth) + 2.0 * n * pixels * config.width


def step_flop(config: AudioMAEConfig) -> float:
    """Count the FLOP of one pre-training example: encoder on kept tokens, decoder on all.

    The backward pass counts twice the forward; a recomputed forward (remat) does not count.
    """
    n, k, pixels = config.patches, config.kept, config.patch**2
    encoder = stack_flop(k, config.width, config.depth) + 2.0 * k * pixels * config.width
    decoder = stack_flop(n, config.decoder_width, config.decoder_depth)
    ends = 2.0 * k * config.width * config.decoder_width + 2.0 * n * config.decoder_width * pixels
    return 3.0 * (encoder + decoder + ends)


def benchmark(
    config: ExperimentConfig, dtype: Any, *, batch: int, repeats: int, peer: bool
) -> list[Measured]:
    """Time ``configs/audio_mae.py`` at one size; with ``peer`` also PyTorch's forward pass.

    The large product, our forward pass and the peers are interleaved; the step follows.

    Args:
      config: one size of the experiment.
      dtype: compute dtype.
      batch: B.
      repeats: timed calls of each.
      peer: also time PyTorch.
    """
    model: AudioMAEConfig = config.stage.model  # type: ignore[attr-defined]
    product, forward = LargeProduct(dtype), _forward(model, dtype, batch)
    peers = vit_calls(model, batch) if peer else {}
    product_seconds, *seconds = in_turn([product, forward, *peers.values()], repeats)
    limit = product.flop / product_seconds
    names = ["encoder forward", *(f"encoder forward, PyTorch: {name}" for name in peers)]
    compile_seconds = [forward.compile_seconds] + [0.0] * len(peers)
    flop = batch * forward_flop(model)
    rows = [
        Measured(name, Timing(own, compiling), batch, flop, limit)
        for name, own, compiling in zip(names, seconds, compile_seconds, strict=True)
    ]
    return [*rows, _step(config, dtype, batch, repeats, limit)]


def _forward(config: AudioMAEConfig, dtype: Any, batch: int) -> Compiled:
    module = dataclasses.replace(config, remat=False).make(dtype)
    x = jax.random.normal(jax.random.key(0), (batch, config.frames, config.n_mels))
    variables = jax.jit(module.init, static_argnames="method")(
        jax.random.key(1), x[:1], method="encode"
    )

    def forward(variables: Any, x: jax.Array) -> Any:
        return module.apply(variables, x, method=AudioMAE.encode)

    return compiled(forward, variables, x)


def _step(config: ExperimentConfig, dtype: Any, batch: int, repeats: int, limit: float) -> Measured:
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, batch_size=batch))
    stage = stage_class(config.stage.name)(config.stage, config.data, dtype=dtype)
    plan = prepare(config, stage)
    spec = stage.batch_spec()
    noise = np.random.default_rng(2).normal(0.0, 0.1, spec["audio"].shape).astype(np.float32)
    length = np.full(spec["length"].shape, spec["audio"].shape[1], np.int32)
    data = dist.put_batch(plan.mesh, {"audio": noise, "length": length})
    with jax.set_mesh(plan.mesh):
        step, rest = jit_step(plan), (data, plan.step_frozen, plan.key)
        timing = time_step(step.jitted, plan.init(), *rest, repeats=repeats, before=(step.rates,))
    flop = batch * step_flop(config.stage.model)  # type: ignore[attr-defined]
    return Measured("pre-training step", timing, batch, flop, limit)
