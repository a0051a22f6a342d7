"""Time the mask separator's forward pass, AudioSep's network or one of ours, beside the same in PyTorch.

Legend: B batch, L samples, E width of a query.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.models.mask_separator import MaskSeparatorConfig
from hsmtss_jax.speed.timing import Compiled, Measured, Timing, compiled, in_turn
from hsmtss_jax.speed.torch_peers import require
from hsmtss_jax.testing.bundles import draw

QUERY = 512  # CLAP's


def benchmark(
    config: MaskSeparatorConfig,
    dtype: Any,
    *,
    batch: int,
    seconds: float,
    repeats: int,
    peer: bool,
) -> list[Measured]:
    """Time the separation of waveforms; with ``peer`` PyTorch's as well, in turns.

    Args:
      config: of the network, which gets random weights.
      dtype: compute dtype.
      batch: B.
      seconds: of each waveform [s].
      repeats: timed calls of each.
      peer: also time PyTorch, in float32 on a CPU and in bfloat16 on CUDA.
    """
    samples = round(seconds * config.sample_rate)
    ours = _ours(config, dtype, batch, samples)
    theirs = {"forward, PyTorch": _peer(config, batch, samples)} if peer else {}
    times = in_turn([ours, *theirs.values()], repeats)
    compiling = [ours.compile_seconds] + [0.0] * len(theirs)
    return [
        Measured(name, Timing(own, at_first), batch)
        for name, own, at_first in zip(["forward", *theirs], times, compiling, strict=True)
    ]


def _ours(config: MaskSeparatorConfig, dtype: Any, batch: int, samples: int) -> Compiled:
    module = config.make(dtype)
    inputs = [_noise(batch, samples), _noise(batch, QUERY)]
    variables = draw(jax.eval_shape(module.init, jax.random.key(0), *inputs), "mask_separator")
    return compiled(module.apply, jax.device_put(variables), *map(jnp.asarray, inputs))


def _peer(config: MaskSeparatorConfig, batch: int, samples: int) -> Callable[[], None]:
    torch = require("torch")
    from hsmtss_jax.speed.torch_resunet import TorchResUNet

    cuda = torch.cuda.is_available()
    device = "cuda" if cuda else "cpu"
    network = TorchResUNet(config, QUERY).eval().to(device)
    inputs = [torch.from_numpy(_noise(batch, n)).to(device) for n in (samples, QUERY)]

    def run() -> None:
        # the STFT stays in float32
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=cuda):
            network(*inputs)
        if cuda:
            torch.cuda.synchronize()

    return run


def _noise(batch: int, samples: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (0.1 * rng.normal(size=(batch, samples))).astype(np.float32)
