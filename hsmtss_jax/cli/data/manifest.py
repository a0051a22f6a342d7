"""``hsmtss data manifest``: mixtures are chosen and written as text, a line each."""

import dataclasses
from pathlib import Path

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.options import argument
from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.config import DataConfig, ExperimentConfig, Size, load_config
from hsmtss_jax.conversion import override
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixingOptions:
    """Declare how clips are mixed: as an experiment's config says, with changes."""

    config: str = option("local_separator", "whose mixtures: a config's name or file")
    size: Size = option("paper", "of that config")
    set: tuple[str, ...] = option(
        (), "a field of its data section: root=FOLDER, say", repeat=True, metavar="FIELD=VALUE"
    )

    def data(self) -> DataConfig:
        """Return the data config. Raises ValueError or OSError."""
        config = load_config(self.config, self.size, ExperimentConfig)
        return override(config.data, [each.removeprefix("data.") for each in self.set])


@dataclasses.dataclass(frozen=True, kw_only=True)
class ManifestOptions(MixingOptions):
    """Declare the command line of ``hsmtss data manifest``."""

    output: Path = argument("folder to write")
    samples: int = option(CLIP_SAMPLES, "of a mixture, at 16 kHz", low=160)
    seed: int = option(0, "of the mixtures", low=0)
    train: int = option(0, "mixtures of the split train", low=0)
    validation: int = option(0, "mixtures of the split validation", low=0)
    test: int = option(0, "mixtures of the split test", low=0)
    processes: int = option(1, "that choose", low=1)

    def __post_init__(self) -> None:
        if not self.train + self.validation + self.test:
            raise ValueError("say how many: --train, --validation or --test must be above 0")


def run(options: ManifestOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.data.manifest import write_manifest

    counts = {split: getattr(options, split) for split in ("train", "validation", "test")}
    total = sum(counts.values())
    with progress_bar(total, unit="mixture") as progress:
        write_manifest(
            options.output,
            options.data(),
            counts,
            samples=options.samples,
            seed=options.seed,
            processes=options.processes,
            progress=progress,
        )
    print(f"{total} mixtures: {options.output}")
    return 0


COMMAND = Command(
    description="Choose mixtures and write them as text: pairs, places, gains, SNR, task, text and tags. "
    "Their sound is not made: levels are measured once a clip, and some thousand mixtures a second are "
    "chosen of them. data.manifest=OUTPUT trains on them, hsmtss data mixtures writes their sound.",
    epilog="example: hsmtss data manifest corpora/pairs --train 1700000 --validation 500 --processes 2",
    options=ManifestOptions,
    run=run,
)
