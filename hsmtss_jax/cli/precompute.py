"""``hsmtss precompute``: AudioMAE's features of mixtures, written once, to train the separators on."""

import dataclasses
import shlex
from pathlib import Path

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.cli.clips import MixtureOptions
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import HEADING, ModelOptions, StageBundles, load_bundles, on_device
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrecomputeOptions(MixtureOptions):
    """Declare the command line of ``hsmtss precompute``."""

    output: Path = argument("folder of the data set to write")
    samples: int = option(CLIP_SAMPLES, "of a window, at 16 kHz", low=1)
    seed: int = option(0, "of the mixtures", low=0)
    set: tuple[str, ...] = option(
        (), "how clips are mixed: sources=2,4, say", repeat=True, metavar="FIELD=VALUE"
    )
    train: int = option(20_000, "mixtures of the split train", low=0)
    validation: int = option(512, "mixtures of the split validation", low=0)
    beam: str = option(
        "", "run on Apache Beam with these arguments of its own", metavar="ARGUMENTS"
    )
    work: str = option(
        "",
        "place of the unfinished parts, which all workers reach",
        metavar="PLACE",
        default_help="beside OUTPUT",
    )
    stages: StageBundles = part(StageBundles, only=("audio_mae",))
    model: ModelOptions = part(ModelOptions, HEADING, only=("ckpt", "device", "dtype"))

    def __post_init__(self) -> None:
        if not self.train + self.validation:
            raise ValueError("--train or --validation must be above 0")


def run(options: PrecomputeOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.config import DataConfig
    from hsmtss_jax.conversion import override
    from hsmtss_jax.data.preparation.beam import on_beam
    from hsmtss_jax.data.preparation.workers import run_here
    from hsmtss_jax.precompute.mixtures import write_mixture_features

    counts = {"train": options.train, "validation": options.validation}
    total = sum(counts.values())
    bundle = load_bundles(options.model.ckpt, options.stages, ["audio_mae"])["audio_mae"]
    with on_device(options.model) as dtype, progress_bar(total, unit="mixture") as progress:
        write_mixture_features(
            options.output,
            bundle,
            override(DataConfig(root=options.data, snr_db=options.snr), options.set),
            counts,
            samples=options.samples,
            seed=options.seed,
            dtype=dtype,
            progress=progress,
            runner=on_beam(shlex.split(options.beam)) if options.beam else run_here,
            work=options.work,
        )
    print(f"{total} mixtures: {options.output}")
    return 0


COMMAND = Command(
    description="Mix clips as in training and write the mixtures' local features S, so that the separator "
    "stages need not run AudioMAE at every step: data.root=FOLDER trains on them. Task and caption are "
    "still drawn at each step, and so is which of the two clips is the target; clips, places, SNR and "
    "augmentation are fixed.",
    epilog="example: hsmtss precompute corpora/mixtures --audio-mae runs/audio_mae/bundle",
    options=PrecomputeOptions,
    run=run,
)
