"""``hsmtss speed mask_separator``: AudioSep's network or one of ours, against PyTorch."""

import dataclasses
from typing import TYPE_CHECKING

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import HEADING, ModelOptions, on_device
from hsmtss_jax.cli.options import part
from hsmtss_jax.cli.speed.options import SpeedOptions
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.models.mask_separator import MaskSeparatorConfig

AUDIOSEP = "audiosep"


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskSeparatorOptions(SpeedOptions):
    """Declare the command line of ``hsmtss speed mask_separator``."""

    config: str = option(
        AUDIOSEP,
        "audiosep, the public network at 32 kHz, of one size; else a config file, or mask_separator",
        metavar="FILE",
    )
    batch: int = option(1, "waveforms a call", low=1)
    seconds: float = option(10.0, "of a waveform", low=0.1, metavar="S")
    machine: ModelOptions = part(ModelOptions, HEADING, only=("device", "dtype"))


def run(options: MaskSeparatorOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    model = _model(options)
    import jax

    from hsmtss_jax.speed import mask_separator, table

    with on_device(options.machine, cached=False) as dtype:
        rows = mask_separator.benchmark(
            model,
            dtype,
            batch=options.batch,
            seconds=options.seconds,
            repeats=options.repeats,
            peer=options.peer,
        )
    device = jax.devices()[0].device_kind
    rate, what = model.sample_rate, f"{options.batch} x {options.seconds:g} s"
    print(f"mask separator, {options.config}, {what} at {rate} Hz, {dtype.__name__}, {device}\n")
    print(table(rows).to_markdown(), end="")
    return 0


def _model(options: MaskSeparatorOptions) -> "MaskSeparatorConfig":
    from hsmtss_jax.models.mask_separator import MaskSeparatorConfig, audiosep

    if options.config == AUDIOSEP:
        return audiosep()
    from hsmtss_jax.config import ExperimentConfig, load_config

    stage = load_config(options.config, options.size, ExperimentConfig).stage
    model = getattr(stage, "model", None)
    if not isinstance(model, MaskSeparatorConfig):
        raise ValueError(f"{options.config} is no config of the mask separator")
    return model


COMMAND = Command(
    description="Time the forward pass of the mask separator on the default device: steady time and compile "
    "time apart, and beside it the same network in PyTorch.",
    epilog="example: hsmtss speed mask_separator --peer",
    options=MaskSeparatorOptions,
    run=run,
)
