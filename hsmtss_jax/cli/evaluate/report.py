"""Write the reports of ``hsmtss evaluate``: a table for people, JSON for programs."""

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.atomic import write_text
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.metrics.tables import Report


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """Declare where the report goes."""

    output: Path | None = option(
        None, "JSON to write; a Markdown table goes beside it", short="-o", metavar="FILE"
    )


def check_output(options: ReportOptions) -> None:
    """Make the folder of the report: an unwritable place is found before the work, not after it."""
    path = options.output
    if path is None:
        return
    if path.is_dir() or path.suffix == ".md":
        raise ValueError(f"--output {path} is to be a JSON file: give a name like report.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent} cannot be written to: choose another --output")


def write_report(options: ReportOptions, report: "Report") -> None:
    """Print the table and, where asked for, write JSON and Markdown."""
    table = report.table()
    print(table)
    if options.output is not None:
        write_text(options.output, json.dumps(report.to_json(), indent=1) + "\n")
        write_text(options.output.with_suffix(".md"), table)
