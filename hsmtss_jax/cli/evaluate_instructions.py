"""``hsmtss evaluate instructions``: how often the parsers understand a table of sentences."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence

from hsmtss_jax.cli.evaluate_options import add_output, check_output, write_report
from hsmtss_jax.cli.messages import CommandParser
from hsmtss_jax.instructions import PARSERS, Parser, parser
from hsmtss_jax.instructions.scoring import ParsedCase, read_cases, run, score, to_markdown


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    options = CommandParser(
        prog="hsmtss evaluate instructions",
        description="Share of instructions whose task, and whose task and description, a parser reads "
        "correctly; descriptions are compared without articles and case.",
        epilog="example: hsmtss evaluate instructions --parser rules endpoint "
        "--url http://localhost:8080/v1 --endpoint-model qwen3",
    )
    options.add_argument(
        "--cases",
        default="tests/instructions/cases.csv",
        help="CSV with the columns text, task, description, origin [%(default)s]",
    )
    options.add_argument("--parser", nargs="+", choices=PARSERS, default=["rules"], help="[rules]")
    options.add_argument("--local-model", help="folder or hub name of a causal language model")
    options.add_argument("--url", help="an OpenAI-compatible server [HSMTSS_LLM_URL]")
    options.add_argument(
        "--endpoint-model", help="its model [HSMTSS_LLM_MODEL]; its key is HSMTSS_LLM_KEY"
    )
    options.add_argument("--timeout", type=float, default=20.0, help="of the server, seconds [20]")
    options.add_argument("--failures", action="store_true", help="print what was not understood")
    add_output(options)
    return options


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    check_output(args)
    cases = read_cases(args.cases)
    parsers = {name: _parser(args, name) for name in dict.fromkeys(args.parser)}
    outcomes = {name: run(parse, cases) for name, parse in parsers.items()}
    scores = {name: score(found) for name, found in outcomes.items()}
    if args.failures:
        for name, found in outcomes.items():
            _print_failures(name, found)
    document = {
        "about": vars(args),
        "scores": {
            name: {group: dataclasses.asdict(part) for group, part in groups.items()}
            for name, groups in scores.items()
        },
        "rows": {name: [_row(outcome) for outcome in found] for name, found in outcomes.items()},
    }
    write_report(args, to_markdown(scores), document)
    return 0


def _parser(args: argparse.Namespace, name: str) -> Parser:
    """The parser of that name with the options that are its own."""
    if name == "local":
        return parser(name, model=args.local_model)
    if name == "endpoint":
        return parser(name, url=args.url, model=args.endpoint_model, timeout=args.timeout)
    return parser(name)


def _row(outcome: ParsedCase) -> dict[str, object]:
    found = outcome.found.as_dict() if outcome.found else None
    return {**dataclasses.asdict(outcome.case), "found": found, "correct": outcome.correct}


def _print_failures(name: str, outcomes: Sequence[ParsedCase]) -> None:
    for outcome in outcomes:
        if not outcome.correct:
            case, found = outcome.case, outcome.found
            got = f"{found.task} {found.description!r}" if found else "refused"
            print(
                f"{name}: {case.text!r} ({case.origin}): {got}, "
                f"expected {case.task} {case.description!r}",
                file=sys.stderr,
            )
