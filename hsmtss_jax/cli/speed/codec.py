"""``hsmtss speed codec``: TF-Codec's encode and decode, its training step, and the same in PyTorch."""

import dataclasses

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import HEADING, ModelOptions, on_device
from hsmtss_jax.cli.options import part
from hsmtss_jax.cli.speed.options import SpeedOptions
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class CodecOptions(SpeedOptions):
    """Declare the command line of ``hsmtss speed codec``."""

    config: str = option("tf_codec", "a config file, or the name of one of ours", metavar="FILE")
    seconds: float = option(10.0, "of sound in a clip", low=0.1, high=600, metavar="S")
    batch: int = option(1, "clips a call", low=1)
    step: bool = option(False, "the config's training step too, on --batch crops")
    machine: ModelOptions = part(ModelOptions, HEADING, only=("device", "dtype"))


def run(options: CodecOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.config import ExperimentConfig, load_config

    config = load_config(options.config, options.size, ExperimentConfig)
    import jax

    from hsmtss_jax.speed import codec

    with on_device(options.machine, cached=False) as dtype:
        rows = codec.benchmark(
            config,
            dtype,
            seconds=options.seconds,
            batch=options.batch,
            repeats=options.repeats,
            peer=options.peer,
            step=options.step,
        )
    device = jax.devices()[0].device_kind
    clips = f"batch {options.batch}, {options.seconds:g} s"
    print(f"codec, size {options.size}, {clips}, {dtype.__name__}, {device}\n")
    print(codec.table(rows).to_markdown(), end="")
    return 0


COMMAND = Command(
    description="Time TF-Codec's encode and decode on the default device: steady time and compile time "
    "apart, and the real-time factor. With --peer the same layers in PyTorch in the same run.",
    epilog="example: hsmtss speed codec --size paper --peer",
    options=CodecOptions,
    run=run,
)
