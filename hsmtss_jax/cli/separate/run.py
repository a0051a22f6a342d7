"""Run ``hsmtss separate``: plan the results, check what can be checked, load the model, write."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.audio.clipping import check_size, finish_files, needs_working_file
from hsmtss_jax.audio.io import check_output, probe
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.cli.separate import reports
from hsmtss_jax.cli.separate.naming import OutputPaths
from hsmtss_jax.cli.separate.options import SeparateCommand
from hsmtss_jax.cli.separate.plan import plan, understand
from hsmtss_jax.cli.separate.results import Job, Results
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
    jobs, problems = plan(command, asked)
    reports.check_writable(command.reports.json)
    if command.reports.target:
        probe(command.reports.target)
    with reports.json_lines(command.reports.json) as emit:
        results = Results(command, emit)
        for problem in problems:
            results.failed(None, problem)
        wanted = _usable(command, jobs, results)
        try:
            if wanted:
                _separate(command, context, wanted, results)
        except (ValueError, OSError) as error:
            if not results.any_done:
                raise
            results.failed(None, error)  # a full disk, say: what is complete stays
        return results.status()


def _usable(command: SeparateCommand, jobs: Sequence[Job], results: Results) -> list[Job]:
    """Return the jobs to be done; note those that exist (--skip-existing) or cannot be done."""
    wanted = []
    for job in jobs:
        if command.output.skip_existing and all(file.exists() for file in job.paths.files):
            results.skipped(job)
        else:
            wanted.append(job)
    alone = len({job.source for job in wanted}) == 1
    checked: dict[Path, Exception | None] = {}
    for job in wanted:
        if job.source not in checked:
            checked[job.source] = _problem(command, job.source, alone)
    for job in wanted:
        if error := checked[job.source]:
            results.failed(job, error)
    return [job for job in wanted if checked[job.source] is None]


def _problem(command: SeparateCommand, source: Path, scan: bool) -> Exception | None:
    """Return what is wrong with a recording: by its header, and by its samples where ``scan``."""
    start, end = command.request.start, command.request.end
    try:
        info = probe(source)
        if _needs_working_file(command):
            check_size(source, start, end)
        from hsmtss_jax.inference.hearing import find_sound
        from hsmtss_jax.inference.recording import open_recording

        recording = open_recording(source, None, start, end)
        if scan and info.seconds <= SCANNED:
            find_sound(recording)
    except (ValueError, OSError) as error:
        return error
    return None


def _needs_working_file(command: SeparateCommand) -> bool:
    output = command.output
    return needs_working_file(output.clip_mode, output.subtype, command.separation.mode)


def _separate(
    command: SeparateCommand, context: Context, jobs: Sequence[Job], results: Results
) -> None:
    """Load the model and make the jobs."""
    with _folders(jobs), out_of_memory_in_a_line():
        for job in jobs:
            for file in job.paths.files:
                check_output(file, command.output.subtype)
        separator = _load(command, context)
        results.loaded(separator)
        with contextlib.ExitStack() as stack:
            work = None
            if _needs_working_file(command):
                folder = jobs[0].paths.target.parent
                work = Path(
                    stack.enter_context(tempfile.TemporaryDirectory(".tmp", ".hsmtss-", folder))
                )
            bar = stack.enter_context(progress_bar(unit="window", quiet=command.reports.quiet))
            _write(command, separator, jobs, results, work, bar)


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
    results: Results,
    work: Path | None,
    progress: Progress,
) -> None:
    """Make all jobs in one go.

    Args:
      command: the options.
      separator: makes them.
      jobs: what is wanted.
      results: is told of each.
      work: folder for working files, where they are needed.
      progress: takes windows done and windows in all.
    """
    from hsmtss_jax.inference import Failed, OutputFiles

    subtype, clip_mode = command.output.subtype, command.output.clip_mode
    groups: dict[Path, list[tuple[Job, OutputPaths]]] = {}
    for number, job in enumerate(jobs):
        paths = job.paths if work is None else _working_paths(work, number, job.paths)
        groups.setdefault(job.source, []).append((job, paths))
    outputs: dict[str | os.PathLike[str], list[OutputFiles]] = {
        source: [OutputFiles(job.instruction, paths.target, paths.residual) for job, paths in group]
        for source, group in groups.items()
    }
    outcomes = separator.separate_files(
        outputs,
        subtype=subtype if work is None else "FLOAT",
        start=command.request.start,
        end=command.request.end,
        options=command.separate_options,
        progress=progress,
    )
    with contextlib.closing(outcomes):  # type: ignore[type-var]
        for group, found in zip(groups.values(), outcomes, strict=True):
            for (job, paths), outcome in zip(group, found, strict=True):
                if isinstance(outcome, Failed):
                    results.failed(job, outcome.error)
                    continue
                pairs = [] if work is None else [*zip(paths.files, job.paths.files, strict=True)]
                try:
                    gain = finish_files(pairs, subtype, clip_mode, outcome.peak)
                except (ValueError, OSError) as error:
                    results.failed(job, error)
                else:
                    results.done(job, outcome, gain)


def _working_paths(folder: Path, number: int, paths: OutputPaths) -> OutputPaths:
    residual = None if paths.residual is None else folder / f"{number}_residual.wav"
    return OutputPaths(folder / f"{number}_target.wav", residual)


@contextlib.contextmanager
def _folders(jobs: Sequence[Job]) -> Iterator[None]:
    """Make the folders of results; in the end those that stayed empty are taken away again."""
    made: list[Path] = []
    try:
        for folder in dict.fromkeys(file.parent for job in jobs for file in job.paths.files):
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
