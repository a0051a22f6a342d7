"""``hsmtss adapt``: a folder of clips of new sounds, and the separator knows them."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.options import argument
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.adaptation.adapt import Adaptation


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdaptOptions:
    """Declare the command line of ``hsmtss adapt``."""

    sounds: Path = argument("a folder of clips: ten are a good start", metavar="FOLDER")
    output: Path = option(dataclasses.MISSING, "pipeline to write", short="-o", metavar="BUNDLE")
    captions: Path | None = option(
        None,
        "what is heard in them: CSV with the columns file and caption",
        metavar="CSV",
        default_help="the names of files and folders",
    )
    base: str | None = option(
        None,
        "pipeline to start from: a folder or a hub id",
        metavar="BUNDLE",
        default_help="the demo bundle",
    )
    old: Path = option(
        Path("corpora/opensounds"),
        "a prepared data set of other sounds: what is mixed with the new ones, and not forgotten",
        metavar="FOLDER",
    )
    minutes: float = option(8.0, "of training, all networks together", low=0, above=True)
    share: float = option(
        0.5, "of the examples that are drawn for a new sound", low=0.05, high=0.95
    )
    held_out: float = option(
        0.2, "share of the new recordings that are not trained on but scored", low=0.05, high=0.9
    )
    pairs: int = option(32, "mixtures to score on, of new and of old sounds; 0: none", low=0)
    lr: float = option(2e-4, "highest learning rate", low=0, above=True)
    seed: int = option(0, "of the mixtures", low=0)
    workdir: Path | None = option(
        None,
        "where the training goes; kept where it is given",
        metavar="FOLDER",
        default_help="a hidden folder beside the output",
    )
    set: tuple[str, ...] = option(
        (), "path=value of the training's config", repeat=True, metavar="OVERRIDE"
    )
    report: Path | None = option(
        None, "JSON of the scores; a Markdown table goes beside it", metavar="FILE"
    )


def run(options: AdaptOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(ReportOptions(output=options.report))
    from hsmtss_jax.adaptation import adapt as adaptation
    from hsmtss_jax.adaptation.training import Interrupted, TuningConfig
    from hsmtss_jax.bundles.hub import locate
    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache

    enable_compilation_cache()
    out = options.output
    given = adaptation.Adaptation(
        base=locate(options.base),
        sounds=options.sounds,
        table=options.captions,
        old=options.old,
        out=out,
        workdir=options.workdir or out.with_name(f".{out.name}.adapting"),
        held_out=options.held_out,
        tuning=TuningConfig(
            minutes=options.minutes,
            share=options.share,
            lr=options.lr,
            seed=options.seed,
            overrides=options.set,
        ),
    )
    try:
        adaptation.adapt(given)
    except Interrupted as stopped:
        print(stopped, file=sys.stderr)
        return 143
    print(f"pipeline: {out}")
    if options.pairs:
        _score(given, options, context)
    if options.workdir is None:
        adaptation.forget(given.workdir)
    return 0


def _score(given: "Adaptation", options: AdaptOptions, context: Context) -> None:
    from hsmtss_jax.adaptation.scores import compare
    from hsmtss_jax.audio.constants import SAMPLE_RATE
    from hsmtss_jax.inference import Separator

    before, after = (
        context.load_runtime(str(path), "auto", None, 16) for path in (given.base, given.out)
    )
    samples = round(after.window / after.sample_rate * SAMPLE_RATE)
    found = compare(Separator(before), Separator(after), given.sets, options.pairs, samples)
    write_report(ReportOptions(output=options.report), found)


COMMAND = Command(
    description="Fine-tune a separator on clips of sounds of your own, mixed with sounds that it knows, and "
    "say what it was worth: scores before and after, on recordings that it was not trained on.",
    epilog="example: hsmtss adapt my_machine_sounds/ -o my_separator --minutes 8",
    options=AdaptOptions,
    run=run,
)
