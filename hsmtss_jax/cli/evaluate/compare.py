"""``hsmtss evaluate compare``: reports of several systems on the same mixtures, side by side."""

import dataclasses
from pathlib import Path

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateCompareOptions:
    """Declare the command line of ``hsmtss evaluate compare``."""

    reports: tuple[str, ...] = argument("JSON of separation -o", metavar="REPORT")
    route: tuple[str, ...] = option(("mask",), "routes, of the reports that have them")
    names: tuple[str, ...] = option((), "of the reports", default_help="their file names")
    report: ReportOptions = part(ReportOptions)

    def __post_init__(self) -> None:
        names = self.names or self.reports
        if len(names) != len(self.reports) or len(set(names)) != len(names):
            raise ValueError(f"--names must give the {len(self.reports)} reports a name each")


def run(options: EvaluateCompareOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.evaluation import comparison

    names = options.names or _names(options.reports)
    paths = dict(zip(names, options.reports, strict=True))
    documents = {name: comparison.read_report(path) for name, path in paths.items()}
    comparison.check_same(documents)
    lines = comparison.lines_of(documents, options.route)
    about = {name: document["about"] for name, document in documents.items()}
    write_report(options.report, comparison.compare(lines, about, comparison.columns_of(documents)))
    return 0


def _names(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return the stems of the files; where two are the same, the paths as they are."""
    stems = tuple(Path(path).stem for path in paths)
    return stems if len(set(stems)) == len(stems) else paths


COMMAND = Command(
    description="Put reports of hsmtss evaluate separation into one table: each system's means, and the "
    "differences to the first, paired by mixture, with 95 % bootstrap intervals.",
    epilog="example: hsmtss evaluate compare full.json single.json --route mask generate",
    options=EvaluateCompareOptions,
    run=run,
)
