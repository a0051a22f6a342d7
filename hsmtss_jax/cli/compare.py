"""``hsmtss compare``: trainings side by side. Reports of one benchmark are ``hsmtss evaluate compare``'s."""

import dataclasses
import sys
from pathlib import Path

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.options import argument, flat, part
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """Declare the command line of ``hsmtss compare``."""

    runs: tuple[str, ...] = argument("workdirs of train, recipe or sweep", metavar="RUN")
    route: str = option("mask", "of the scores of pipelines: mask, generate, mixture")
    metrics: tuple[str, ...] = option((), "these alone", default_help="all")
    names: tuple[str, ...] = option((), "of the runs", default_help="their folders'")
    price: float | None = option(None, "of an hour of a run's devices together [USD]", low=0)
    figure: Path | None = option(None, "picture of the metrics to write", metavar="PNG")
    report: ReportOptions = part(ReportOptions)


def run(options: CompareOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.atomic import write_text
    from hsmtss_jax.metrics.tables import Report
    from hsmtss_jax.recipes.compare import comparison, metrics_of, to_csv
    from hsmtss_jax.recipes.runs import is_run, read_run

    paths = [Path(path) for path in options.runs]
    found = [path for path in paths if is_run(path)]
    for path in set(paths) - set(found):
        print(f"hsmtss: warning: {path} holds no run: left out", file=sys.stderr)
    if not found:
        raise ValueError(
            "none of these holds a run: give workdirs of hsmtss train, recipe or sweep"
        )
    names = options.names or _names(found)
    if len(names) != len(found) or len(set(names)) != len(names):
        raise ValueError(f"--names must give the {len(found)} runs a name each")
    runs = [read_run(path, name) for path, name in zip(found, names, strict=True)]
    shown = metrics_of(runs, options.route, options.metrics)
    table = comparison(runs, route=options.route, metrics=shown, price=options.price)
    rows = [{"run": run.name, "folder": str(path)} for run, path in zip(runs, found, strict=True)]
    write_report(options.report, Report([table], flat(options), rows))
    if options.report.output is not None:
        write_text(options.report.output.with_suffix(".csv"), to_csv(table))
    if options.figure is not None:
        from hsmtss_jax.visualization.comparison import draw_comparison

        draw_comparison(table, shown, options.figure)
    return 0


def _names(paths: list[Path]) -> tuple[str, ...]:
    """Return the names of the folders; where two are the same, the paths as they are."""
    names = tuple(path.resolve().name for path in paths)
    return names if len(set(names)) == len(names) else tuple(map(str, paths))


COMMAND = Command(
    description="Put trainings into one table: the settings in which they differ, scores with 95 % intervals "
    "(a pipeline's, else the last validation), speed, cost. With -o also as CSV. Reports on the same "
    "mixtures, paired: hsmtss evaluate compare.",
    epilog="example: hsmtss compare runs/demo runs/demo_sweep_p_gt/* -o p_gt.json --figure p_gt.png",
    options=CompareOptions,
    run=run,
)
