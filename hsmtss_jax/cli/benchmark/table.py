"""``hsmtss benchmark table``: the table of runs that were logged."""

import dataclasses
from pathlib import Path
from typing import Literal

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkTableOptions:
    """Declare the command line of ``hsmtss benchmark table``."""

    logs: tuple[Path, ...] = argument("of hsmtss benchmark run --log", metavar="JSONL")
    paper: Literal["2", "3", "4"] | None = option(
        None, "a table of the paper, its printed numbers beside these", default_help="none"
    )
    classes: str | None = option(
        None,
        "a metric by description, and its mean over descriptions",
        metavar="METRIC",
        default_help="none",
    )
    report: ReportOptions = part(ReportOptions)


def run(options: BenchmarkTableOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.evaluation.benchmarks.classes import class_table
    from hsmtss_jax.evaluation.judging import read_logs
    from hsmtss_jax.evaluation.paper_tables import paper_table
    from hsmtss_jax.evaluation.scores import described_columns, missing_notes, report

    found = read_logs(options.logs)
    columns = described_columns(found.about)
    made = report(found.scores, found.about, columns, missing_notes(columns))
    added = [paper_table(options.paper, found.scores)] if options.paper else []
    if options.classes:
        column = next((column for column in columns if column.key == options.classes), None)
        if column is None:
            known = ", ".join(column.key for column in columns)
            raise ValueError(f"no metric {options.classes!r}: choose of {known}")
        table = class_table(found.scores, column)
        added += [table] if table else []
    write_report(options.report, dataclasses.replace(made, tables=[*made.tables, *added]))
    return 0


COMMAND = Command(
    description="Print the table of one run or of its shards, finished or not, from their logs: means with "
    "95 % bootstrap intervals over recordings, and paired differences to the mixture.",
    epilog="example: hsmtss benchmark table runs/esc50-0.jsonl runs/esc50-1.jsonl -o runs/esc50.json",
    options=BenchmarkTableOptions,
    run=run,
)
