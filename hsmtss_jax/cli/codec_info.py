"""``hsmtss codec info``: what a token file holds."""

import argparse
import dataclasses
import json

from hsmtss_jax.cli.messages import CommandParser
from hsmtss_jax.codec.token_file import probe_tokens


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss codec info",
        description="Print a token file's header as JSON, after checking the file's sum.",
        epilog="example: hsmtss codec info street.tfc",
    )
    parser.add_argument("input", help="a token file (.tfc)")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    info = probe_tokens(args.input)
    rates = {"stored_bits_per_second": round(8 * info.bytes / info.seconds)}
    print(
        json.dumps(
            {"input": args.input, "seconds": round(info.seconds, 3)}
            | dataclasses.asdict(info)
            | rates
        )
    )
    return 0
