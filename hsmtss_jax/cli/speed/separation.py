"""``hsmtss speed separation``: the whole system, from a recording to the separated sound."""

import dataclasses
from typing import TYPE_CHECKING

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import HEADING, ModelOptions
from hsmtss_jax.cli.options import part
from hsmtss_jax.config import Size
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.inference.system import System


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeparationOptions:
    """Declare the command line of ``hsmtss speed separation``."""

    size: Size | None = option(None, "random weights of this size in place of a bundle")
    seconds: tuple[float, ...] = option(
        (10.0, 60.0), "recordings", low=0.05, high=36_000, metavar="S"
    )
    repeats: int = option(3, "timed calls, the median counts", low=1)
    cached: bool = option(False, "use the compilation cache (the first call is faster)")
    separation: SeparateOptions = part(SeparateOptions, "method", only=("mode", "windows"))
    model: ModelOptions = part(ModelOptions, HEADING)

    def __post_init__(self) -> None:
        if self.model.ckpt and self.size:
            raise ValueError("--ckpt and --size exclude one another")


def run(options: SeparationOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    import numpy as np

    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache
    from hsmtss_jax.inference import Separator
    from hsmtss_jax.speed import separation

    if options.cached:
        enable_compilation_cache()
    model, method = options.model, options.separation
    runtime = _runtime(options, context)
    separator = Separator(runtime, overlap=model.overlap, segment=model.segment)
    rows = separation.benchmark(
        separator,
        options.seconds,
        repeats=options.repeats,
        options={"mode": method.mode, "windows": method.windows},
    )
    print(
        f"{separator.name}, {method.mode}, windows {method.windows}, batch {separator.batch}, "
        f"{np.dtype(separator.dtype).name}, {separator.device.device_kind}\n"
    )
    print("\n".join(table.to_markdown() for table in separation.tables(rows)), end="")
    return 0


def _runtime(options: SeparationOptions, context: Context) -> "System":
    model = options.model
    if options.size is None:
        return context.load_runtime(model.ckpt, model.dtype, model.device, model.batch)
    from hsmtss_jax.dist import compute_dtype, find_device
    from hsmtss_jax.inference.runtime import Runtime
    from hsmtss_jax.testing.bundles import random_pipeline

    device = find_device(model.device)
    dtype = compute_dtype(model.dtype, device)
    return Runtime(random_pipeline(options.size), dtype, device, batch=model.batch)


COMMAND = Command(
    description="Separate stereo noise at 44.1 kHz: time, real-time factor (seconds of work for a second "
    "of sound), time to the first finished sound, token frames a second, compile time, peak memory, and "
    "where the time goes. On a CPU the peak is the whole process's.",
    epilog="example: hsmtss speed separation --size paper --seconds 10 --repeats 1",
    options=SeparationOptions,
    run=run,
)
