"""``hsmtss evaluate folder``: sounds that were made elsewhere, by any separator."""

import dataclasses
from pathlib import Path

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.judges import JudgeOptions, load_judges
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.evaluate.routes import OthersOptions, other_routes, run_routes
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateFolderOptions:
    """Declare the command line of ``hsmtss evaluate folder``."""

    folders: tuple[Path, ...] = argument(
        "folders of estimates NAME.wav, a row each", metavar="FOLDER", default=()
    )
    references: Path = option(
        dataclasses.MISSING, "folder of the targets NAME.wav", metavar="FOLDER"
    )
    mixtures: Path | None = option(
        None, "folder of the mixtures NAME.wav, for improvements over them", metavar="FOLDER"
    )
    texts: Path | None = option(
        None, "CSV with columns name and text (and group), for --clap and --command", metavar="CSV"
    )
    others: OthersOptions = part(OthersOptions)
    report: ReportOptions = part(ReportOptions)
    judges: JudgeOptions = part(JudgeOptions, "models of others")

    def __post_init__(self) -> None:
        if not self.folders and not self.others.programs:
            raise ValueError("there is nothing to judge: give a folder of estimates, or --command")


def run(options: EvaluateFolderOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.evaluation.folders import folder_pairs, sounds_in
    from hsmtss_jax.evaluation.routes import SoundFolder

    routes = other_routes(options.others, mixtures=options.mixtures is not None)
    routes += [SoundFolder(folder) for folder in options.folders]
    names = list(sounds_in(options.references))
    about = {
        "pairs": names,
        "folders": [str(folder) for folder in options.folders],
        "mixtures": str(options.mixtures),
        "texts": str(options.texts),
        "commands": list(options.others.programs),
    }
    judges = load_judges(options.judges)
    pairs = folder_pairs(options.references, options.mixtures, options.texts)
    found = run_routes(routes, pairs, judges, about, count=len(names), log=options.others.log)
    write_report(options.report, found)
    return 0


COMMAND = Command(
    description="Judge folders of sounds that any separator made: NAME.wav of each beside the reference "
    "NAME.wav, in any format and rate, compared at 16 kHz. With --mixtures there are rows for doing nothing "
    "and for an ideal mask, and --command runs another program on them.",
    epilog="example: hsmtss evaluate folder theirs/ --references references/ --mixtures mixtures/ "
    "--judge yamnet -o theirs.json",
    options=EvaluateFolderOptions,
    run=run,
)
