"""Run ``hsmtss separate``: plan the results, check what can be checked, load the model, write."""

import contextlib
import dataclasses
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.audio.io import check_place, plan_output, probe
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.cli.separate import forecast, reports, standard_output
from hsmtss_jax.cli.separate.options import RequestOptions, SeparateCommand
from hsmtss_jax.cli.separate.plan import Asked, plan, understand
from hsmtss_jax.cli.separate.results import Job, Results
from hsmtss_jax.cli.separate.states import find_states, kept_states
from hsmtss_jax.progress import Progress

if TYPE_CHECKING:
    from hsmtss_jax.inference import Separator

SCANNED = 600.0  # [s] of a single recording that are read before a model is loaded


def run(command: SeparateCommand, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    asked = understand(command)
    if command.request.plan:
        for text, instruction in zip(asked.texts, asked.instructions, strict=True):
            print(json.dumps({"text": text, **instruction.as_dict()}))
        return 0
    if not standard_output.is_wanted(command):
        return _make_all(command, asked, context)
    with standard_output.temporary_file(command) as changed:
        return _make_all(changed, asked, context, shown=standard_output.SHOWN)


def _make_all(
    command: SeparateCommand, asked: Asked, context: Context, shown: str | None = None
) -> int:
    """Make all that is asked for and return the status; ``shown``: what reports call the only result."""
    jobs, problems = plan(command, asked)
    jobs = [dataclasses.replace(job, shown=shown) for job in jobs]
    if command.reports.target:
        probe(command.reports.target)
    where = command.reports.json
    with contextlib.ExitStack() as stack:  # the lines may go where the results go
        stack.enter_context(_folders({Path(where or "").parent} & _result_folders(jobs).keys()))
        reports.check_writable(where)
        results = Results(command, stack.enter_context(reports.json_lines(where)))
        for problem in problems:
            results.failed(None, problem)
        wanted = _previewed(command.request, _usable(command, jobs, results))
        try:
            if wanted:
                _separate(command, context, wanted, results)
        except (ValueError, OSError) as error:
            if not results.any_done or isinstance(error, BrokenPipeError):
                raise
            results.failed(None, error)  # a full disk, say: what is complete stays
        return results.status()


def _usable(command: SeparateCommand, jobs: Sequence[Job], results: Results) -> list[Job]:
    """Return the jobs to be done; note those that exist (--skip-existing) or cannot be done."""
    wanted = []
    for job in jobs:
        if command.place.skip_existing and all(file.exists() for file in job.paths.files):
            results.skipped(job)
        else:
            wanted.append(job)
    by_source: dict[Path, list[Job]] = {}
    for job in wanted:
        by_source.setdefault(job.source, []).append(job)
    alone = len(by_source) == 1
    checked = {source: _problem(command, of, alone) for source, of in by_source.items()}
    for job in wanted:
        if error := checked[job.source]:
            results.failed(job, error)
    return [job for job in wanted if checked[job.source] is None]


def _previewed(request: RequestOptions, jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs with the part of each recording that --preview chooses."""
    if request.preview is None:
        return list(jobs)
    from hsmtss_jax.inference.preview import most_active_part

    parts: dict[Path, tuple[float, float]] = {}
    for source in dict.fromkeys(job.source for job in jobs):
        parts[source] = most_active_part(
            source, request.preview, start=request.start, end=request.end
        )
    return [dataclasses.replace(job, part=parts[job.source]) for job in jobs]


def _problem(command: SeparateCommand, jobs: Sequence[Job], scan: bool) -> Exception | None:
    """Return what is wrong with a recording: by its header, its results, and its samples where ``scan``."""
    start, end = command.request.start, command.request.end
    source, mono = jobs[0].source, command.separation.mode == "generate"
    try:
        info = probe(source)
        from hsmtss_jax.inference.hearing import find_sound
        from hsmtss_jax.inference.recording import open_recording

        recording = open_recording(source, None, start, end)
        length, preview = recording.length, command.request.preview
        if preview is not None:
            length = round(min(length, preview * info.sample_rate))
        for file in (file for job in jobs for file in job.paths.files):
            plan_output(file, source, command.output, mono=mono, length=length)
        if scan and info.seconds <= SCANNED:
            find_sound(recording)
    except (ValueError, OSError) as error:
        return error
    return None


def _separate(
    command: SeparateCommand, context: Context, jobs: Sequence[Job], results: Results
) -> None:
    """Load the model and make the jobs."""
    with _folders(_result_folders(jobs)), out_of_memory_in_a_line():
        for job in jobs:
            for file in job.paths.files:
                check_place(file)
        separator = _load(command, context)
        results.loaded(separator)
        with progress_bar(unit="window", quiet=command.reports.quiet) as bar:
            progress = forecast.watched(bar, separator, jobs, command.reports.quiet)
            parts = itertools.groupby(jobs, key=lambda job: job.part)
            for part, of_part in parts:
                _write(command, separator, list(of_part), part, results, progress)


def _load(command: SeparateCommand, context: Context) -> "Separator":
    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache

    enable_compilation_cache()
    model = command.model
    runtime = context.load_runtime(model.ckpt, model.dtype, model.device, model.batch)
    from hsmtss_jax.inference import Separator

    return Separator(runtime, overlap=model.overlap, segment=model.segment)


def _write(
    command: SeparateCommand,
    separator: "Separator",
    jobs: Sequence[Job],
    part: tuple[float, float | None],
    results: Results,
    progress: Progress,
) -> None:
    """Make jobs in one go.

    Args:
      command: the options.
      separator: makes them.
      jobs: what is wanted.
      part: start and end of it in each recording [s].
      results: is told of each.
      progress: takes windows done and windows in all.
    """
    from hsmtss_jax.inference import Failed, OutputFiles

    groups: dict[Path, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.source, []).append(job)
    outputs: dict[str | os.PathLike[str], list[OutputFiles]] = {
        source: [
            OutputFiles(job.instruction, job.paths.target, job.paths.residual) for job in group
        ]
        for source, group in groups.items()
    }
    states = find_states(groups, command.place.resume)
    outcomes = separator.separate_files(
        outputs,
        output=command.output,
        start=part[0],
        end=part[1],
        options=command.separate_options,
        progress=progress,
        states=states,
    )
    with kept_states(states.values()), contextlib.closing(outcomes):
        for group, found in zip(groups.values(), outcomes, strict=True):
            for job, outcome in zip(group, found, strict=True):
                if isinstance(outcome, Failed):
                    results.failed(job, outcome.error)
                else:
                    results.done(job, outcome)


def _result_folders(jobs: Sequence[Job]) -> dict[Path, None]:
    """Return the folders of results, each once."""
    return dict.fromkeys(file.parent for job in jobs for file in job.paths.files)


@contextlib.contextmanager
def _folders(folders: Iterable[Path]) -> Iterator[None]:
    """Make folders; in the end those that stayed empty are taken away again."""
    made: list[Path] = []
    try:
        for folder in folders:
            _make(folder, made)
        yield
    finally:
        for folder in reversed(made):
            with contextlib.suppress(OSError):  # not empty
                folder.rmdir()


def _make(folder: Path, made: list[Path]) -> None:
    missing = []
    while not os.path.lexists(folder):
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        try:
            each.mkdir()
        except OSError as error:
            raise OSError(f"{each}: cannot be made ({error.strerror})") from error
        made.append(each)


@contextlib.contextmanager
def out_of_memory_in_a_line() -> Iterator[None]:
    """Turn what JAX and numpy raise when memory runs out into an OSError that says what to do."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise OSError("out of memory: use a smaller --batch, --segment or --dtype") from error
