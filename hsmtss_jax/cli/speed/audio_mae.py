"""``hsmtss speed audio_mae``: encoder and pre-training step, against a large matrix product and PyTorch."""

import dataclasses

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import HEADING, ModelOptions, on_device
from hsmtss_jax.cli.options import part
from hsmtss_jax.cli.speed.options import SpeedOptions
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class AudioMAEOptions(SpeedOptions):
    """Declare the command line of ``hsmtss speed audio_mae``."""

    config: str = option("audio_mae", "a config file, or the name of one of ours", metavar="FILE")
    batch: int = option(4, "examples a call", low=1)
    machine: ModelOptions = part(ModelOptions, HEADING, only=("device", "dtype"))


def run(options: AudioMAEOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.config import ExperimentConfig, load_config

    config = load_config(options.config, options.size, ExperimentConfig)
    import jax

    from hsmtss_jax.speed import audio_mae, table

    with on_device(options.machine, cached=False) as dtype:
        rows = audio_mae.benchmark(
            config, dtype, batch=options.batch, repeats=options.repeats, peer=options.peer
        )
    device = jax.devices()[0].device_kind
    print(f"audio_mae, size {options.size}, batch {options.batch}, {dtype.__name__}, {device}\n")
    print(table(rows).to_markdown(), end="")
    print(f"\nlarge matrix product: {rows[0].limit / 1e9:.0f} GFLOP/s")
    return 0


COMMAND = Command(
    description="Time AudioMAE's encoder and its pre-training step on the default device: steady time and "
    "compile time apart, and the share of what a large matrix product reaches in the same run.",
    epilog="example: hsmtss speed audio_mae --size demo --peer",
    options=AudioMAEOptions,
    run=run,
)
