"""``hsmtss evaluate compare``: reports of several systems on the same mixtures, side by side."""

import argparse
from pathlib import Path

from hsmtss_jax.cli.evaluate_options import add_output, check_output, write_report
from hsmtss_jax.cli.messages import CommandParser


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss evaluate compare",
        description="Puts reports of hsmtss evaluate separation into one table: each system's means, and "
        "the differences to the first, paired by mixture, with 95 % bootstrap intervals.",
        epilog="example: hsmtss evaluate compare full.json single.json --route mask generate",
    )
    parser.add_argument("reports", nargs="+", metavar="REPORT", help="JSON of separation -o")
    parser.add_argument(
        "--route",
        nargs="+",
        default=["mask"],
        help="routes, of the reports that have them [mask]",
    )
    parser.add_argument("--names", nargs="+", help="of the reports [their file names]")
    add_output(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_intermixed_args(argv)
    check_output(args)
    from hsmtss_jax.evaluation import comparison

    names = args.names or _names(args.reports)
    if len(names) != len(args.reports) or len(set(names)) != len(names):
        raise ValueError(f"--names must give the {len(args.reports)} reports a name each")
    paths = dict(zip(names, args.reports, strict=True))
    documents = {name: comparison.read_report(path) for name, path in paths.items()}
    comparison.check_same(documents)
    lines = comparison.lines_of(documents, args.route)
    about = {name: document["about"] for name, document in documents.items()}
    report = comparison.compare(lines, about)
    write_report(args, report.table(), report.to_json())
    return 0


def _names(paths: list[str]) -> list[str]:
    """The stems of the files; where two are the same, the paths as they are."""
    stems = [Path(path).stem for path in paths]
    return stems if len(set(stems)) == len(stems) else list(paths)
