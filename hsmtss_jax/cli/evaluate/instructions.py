"""``hsmtss evaluate instructions``: how often the parsers understand a table of sentences."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.options import flat, part
from hsmtss_jax.instructions import Parser, parser
from hsmtss_jax.instructions.scoring import ParsedCase, cases_file, read_cases
from hsmtss_jax.instructions.scoring import run as understand
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateInstructionsOptions:
    """Declare the command line of ``hsmtss evaluate instructions``."""

    cases: Path | None = option(
        None,
        "CSV with the columns text, task, description, origin (and spans, amount)",
        metavar="FILE",
        default_help="the package's own",
    )
    parser: tuple[Literal["rules", "local", "endpoint"], ...] = option(
        ("rules",), "how sentences are understood"
    )
    local_model: str | None = option(
        None, "folder or hub name of a causal language model", metavar="NAME"
    )
    url: str | None = option(
        None, "an OpenAI-compatible server", metavar="URL", default_help="HSMTSS_LLM_URL"
    )
    endpoint_model: str | None = option(
        None,
        "its model; its key is HSMTSS_LLM_KEY",
        metavar="NAME",
        default_help="HSMTSS_LLM_MODEL",
    )
    timeout: float = option(20.0, "of the server", low=0, above=True, metavar="S")
    failures: bool = option(False, "print what was not understood")
    report: ReportOptions = part(ReportOptions)


def run(options: EvaluateInstructionsOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.evaluation.instructions import report

    cases = read_cases(options.cases or cases_file())
    parsers = {name: _parser(options, name) for name in dict.fromkeys(options.parser)}
    parsed: dict[str, list[ParsedCase]] = {
        name: understand(parse, cases) for name, parse in parsers.items()
    }
    if options.failures:
        for name, found in parsed.items():
            _print_failures(name, found)
    write_report(options.report, report(parsed, flat(options)))
    return 0


def _parser(options: EvaluateInstructionsOptions, name: str) -> Parser:
    """Return the parser of that name with the options that are its own."""
    if name == "local":
        return parser(name, model=options.local_model)
    if name == "endpoint":
        given = {"url": options.url, "model": options.endpoint_model}
        return parser(name, **given, timeout=options.timeout)
    return parser(name)


def _print_failures(name: str, parsed: Sequence[ParsedCase]) -> None:
    for each in parsed:
        if not (each.correct and each.limits_correct):
            case, found = each.case, each.found
            got = str(found) if found else "refused"
            print(
                f"{name}: {case.text!r} ({case.origin}): {got}, "
                f"expected {case.task} {case.description!r} {case.amount} {case.spans}".rstrip(),
                file=sys.stderr,
            )


COMMAND = Command(
    description="Share of instructions whose task, and whose task and description, a parser reads correctly; "
    "descriptions are compared without articles and case.",
    epilog="example: hsmtss evaluate instructions --parser rules endpoint --url http://localhost:8080/v1 "
    "--endpoint-model qwen3",
    options=EvaluateInstructionsOptions,
    run=run,
)
