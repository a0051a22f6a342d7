"""``hsmtss benchmark table``: the table of runs that were logged."""

import dataclasses
from pathlib import Path

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.options import argument, part


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkTableOptions:
    """Declare the command line of ``hsmtss benchmark table``."""

    logs: tuple[Path, ...] = argument("of hsmtss benchmark run --log", metavar="JSONL")
    report: ReportOptions = part(ReportOptions)


def run(options: BenchmarkTableOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.evaluation.judging import read_logs
    from hsmtss_jax.evaluation.scores import missing_notes, report
    from hsmtss_jax.metrics.tables import Column

    found = read_logs(options.logs)
    columns = [Column(key, title) for key, title in found.about["columns"].items()]
    write_report(options.report, report(found.scores, found.about, columns, missing_notes(columns)))
    return 0


COMMAND = Command(
    description="Print the table of one run or of its shards, finished or not, from their logs: means with "
    "95 % bootstrap intervals over recordings, and paired differences to the mixture.",
    epilog="example: hsmtss benchmark table runs/esc50-0.jsonl runs/esc50-1.jsonl -o runs/esc50.json",
    options=BenchmarkTableOptions,
    run=run,
)
