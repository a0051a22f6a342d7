"""Plan what ``hsmtss separate`` makes: instructions from sentences, results from names."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from hsmtss_jax.cli.discovery import find_inputs, split_instruction
from hsmtss_jax.cli.separate.naming import DEFAULT_FOLDER, NamingRule, plan_outputs
from hsmtss_jax.cli.separate.options import RequestOptions, SeparateCommand
from hsmtss_jax.cli.separate.results import Job
from hsmtss_jax.instructions import Instruction, parser
from hsmtss_jax.instructions.normalise import normalise


@dataclasses.dataclass(frozen=True)
class Asked:
    """Hold names of recordings, and the texts with what they were understood as."""

    names: list[str]
    texts: list[str]
    instructions: list[Instruction]


def understand(command: SeparateCommand) -> Asked:
    """Read the instructions. Raises ValueError for one that is missing, empty or too long."""
    names, texts = split_instruction(command.items, command.request.prompt)
    if not names and not command.request.plan:
        raise ValueError('give a recording as well: hsmtss separate FILE "remove the dog"')
    options = command.separate_options
    return Asked(names, texts, [*map(options.limited, _parse(command.request, texts))])


def _parse(request: RequestOptions, texts: Sequence[str]) -> list[Instruction]:
    given = {"model": request.parser_model, "url": request.parser_url}
    options = {name: value for name, value in given.items() if value is not None}
    if request.task is None:
        return [*map(parser(request.parser, **options), texts)]
    for text in texts:
        normalise(text)  # raises for what is no description
    return [Instruction(request.task, " ".join(text.split())) for text in texts]


def plan(command: SeparateCommand, asked: Asked) -> tuple[list[Job], list[ValueError]]:
    """Return every result that is wanted with its paths, and the names that hold no recording."""
    place, reports = command.place, command.reports
    naming = NamingRule(
        output=place.output,
        template=place.filename,
        options=command.output,
        two_stems=place.two_stems,
        mark="_preview" if command.request.preview else "",
    )
    inputs, problems = find_inputs(asked.names, naming.folder or Path(DEFAULT_FOLDER))
    if reports.target and len(inputs) > 1:
        raise ValueError("--target goes with one recording")
    outputs = plan_outputs(naming, inputs, asked.texts)
    alone = len(inputs) * len(asked.texts) == 1
    figures = alone if reports.figure is None else reports.figure
    part = command.request.start, command.request.end
    jobs = [
        Job(each.path, text, instruction, paths, paths.figure if figures else None, part)
        for each, of_input in zip(inputs, outputs, strict=True)
        for text, instruction, paths in zip(asked.texts, asked.instructions, of_input, strict=True)
    ]
    return jobs, problems
