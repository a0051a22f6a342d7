"""``hsmtss separate`` and ``python infer.py``: recordings and sentences in, files out."""

import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsmtss_jax.audio.clipping import check_size, finish_files, needs_working_file
from hsmtss_jax.audio.io import check_output, probe
from hsmtss_jax.cli import reports, separate_options
from hsmtss_jax.cli.inputs import find_inputs, split_instruction
from hsmtss_jax.cli.outputs import Naming, Place, plan_places
from hsmtss_jax.cli.separate_results import Piece, Results

if TYPE_CHECKING:
    from hsmtss_jax.inference import Separator
    from hsmtss_jax.instructions import Instruction

SCANNED = 600.0  # seconds of a single recording that are read before a model is loaded


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = separate_options.parse(argv)
    names, texts = split_instruction(args.items, args.prompt or [])
    if not names and not args.plan:
        raise ValueError('give a recording as well: hsmtss separate FILE "remove the dog"')
    instructions = _understand(args, texts)
    if args.plan:
        for text, instruction in zip(texts, instructions, strict=True):
            print(json.dumps({"text": text, **instruction.as_dict()}))
        return 0
    pieces, problems = _plan(args, names, texts, instructions)
    reports.check_writable(args.json)
    if args.target:
        probe(args.target)
    with reports.json_lines(args.json) as emit:
        results = Results(args, emit)
        for problem in problems:
            results.failed(None, problem)
        wanted = _usable(args, pieces, results)
        try:
            if wanted:
                _separate(args, wanted, results)
        except (ValueError, OSError) as error:
            if not results.any_done:
                raise
            results.failed(None, error)  # a full disk, say: what is complete stays
        return results.status()


def _understand(args: argparse.Namespace, texts: Sequence[str]) -> "list[Instruction]":
    """What the texts ask for. Raises ValueError for one that is empty or too long."""
    from hsmtss_jax.instructions import Instruction, parser
    from hsmtss_jax.instructions.normalise import normalise

    given = {"model": args.parser_model, "url": args.parser_url}
    options = {name: value for name, value in given.items() if value is not None}
    if args.task is None:
        return [*map(parser(args.parser, **options), texts)]
    for text in texts:
        normalise(text)  # raises for what is no description
    return [Instruction(args.task, " ".join(text.split())) for text in texts]


def _plan(
    args: argparse.Namespace,
    names: Sequence[str],
    texts: Sequence[str],
    instructions: "Sequence[Instruction]",
) -> tuple[list[Piece], list[ValueError]]:
    """Every result that is wanted with its place, and the names that hold no recording."""
    naming = Naming(
        output=args.output,
        template=args.filename,
        format=args.format,
        two_stems=args.two_stems,
    )
    inputs, problems = find_inputs(names, naming.folder or Path("separated"))
    if args.target and len(inputs) > 1:
        raise ValueError("--target goes with one recording")
    places = plan_places(naming, inputs, texts)
    figures = args.figure if args.figure is not None else len(inputs) * len(texts) == 1
    pieces = [
        Piece(each.path, text, instruction, place, place.figure if figures else None)
        for each, of_input in zip(inputs, places, strict=True)
        for text, instruction, place in zip(texts, instructions, of_input, strict=True)
    ]
    _check_subtypes(args, pieces)
    return pieces, problems


def _check_subtypes(args: argparse.Namespace, pieces: Sequence[Piece]) -> None:
    flac = any(piece.place.target.suffix.lower() == ".flac" for piece in pieces)
    if args.bit_depth == "float" and flac:
        raise ValueError("--bit-depth float needs .wav: FLAC holds whole numbers")


def _usable(args: argparse.Namespace, pieces: Sequence[Piece], results: Results) -> list[Piece]:
    """The pieces to be done; those that exist (--skip-existing) or cannot be done are noted."""
    wanted = []
    for piece in pieces:
        if args.skip_existing and all(file.exists() for file in piece.place.files):
            results.skipped(piece)
        else:
            wanted.append(piece)
    alone = len({piece.source for piece in wanted}) == 1
    checked: dict[Path, Exception | None] = {}
    for piece in wanted:
        if piece.source not in checked:
            checked[piece.source] = _problem(args, piece.source, alone)
    for piece in wanted:
        if error := checked[piece.source]:
            results.failed(piece, error)
    return [piece for piece in wanted if checked[piece.source] is None]


def _problem(args: argparse.Namespace, source: Path, scan: bool) -> Exception | None:
    """What is wrong with a recording: by its header, and by its samples where ``scan``."""
    try:
        info = probe(source)
        if needs_working_file(args.clip_mode, _subtype(args), args.mode):
            check_size(source, args.start, args.end)
        from hsmtss_jax.inference.recording import open_recording, working_gain

        recording = open_recording(source, None, args.start, args.end)
        if scan and info.seconds <= SCANNED:
            working_gain(recording, info.sample_rate)
    except (ValueError, OSError) as error:
        return error
    return None


def _separate(args: argparse.Namespace, pieces: Sequence[Piece], results: Results) -> None:
    """Loads the model and makes the pieces."""
    with orderly_termination(), _folders(pieces), out_of_memory_in_a_line():
        for piece in pieces:
            for file in piece.place.files:
                check_output(file, _subtype(args))
        separator = _load(args)
        results.loaded(separator)
        with contextlib.ExitStack() as stack:
            work = None
            if needs_working_file(args.clip_mode, _subtype(args), args.mode):
                folder = pieces[0].place.target.parent
                work = Path(
                    stack.enter_context(tempfile.TemporaryDirectory(".tmp", ".hsmtss-", folder))
                )
            report = stack.enter_context(reports.progress_bar(args.quiet))
            _run(args, separator, pieces, results, work, report)


def _load(args: argparse.Namespace) -> "Separator":
    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.inference import RuntimeOptions, Separator

    enable_compilation_cache()
    return Separator.from_pretrained(
        args.ckpt,
        dtype=args.dtype,
        device=args.device,
        overlap=args.overlap,
        segment=args.segment,
        batch=args.batch or RuntimeOptions.batch,
    )


def _run(
    args: argparse.Namespace,
    separator: "Separator",
    pieces: Sequence[Piece],
    results: Results,
    work: Path | None,
    progress: Callable[[int, int], None],
) -> None:
    """One session for all pieces. work: a folder for working files, where they are needed."""
    from hsmtss_jax.inference import Failed, OutputFiles, SeparateOptions

    groups: dict[Path, list[tuple[Piece, Place]]] = {}
    for number, piece in enumerate(pieces):
        place = piece.place if work is None else _working_place(work, number, piece.place)
        groups.setdefault(piece.source, []).append((piece, place))
    jobs: dict[str | os.PathLike[str], list[OutputFiles]] = {
        source: [
            OutputFiles(piece.instruction, place.target, place.residual) for piece, place in group
        ]
        for source, group in groups.items()
    }
    outcomes = separator.separate_files(
        jobs,
        subtype=_subtype(args) if work is None else "FLOAT",
        progress=progress,
        start=args.start,
        end=args.end,
        options=SeparateOptions(**_options(args)),
    )
    with contextlib.closing(outcomes):  # type: ignore[type-var]
        for group, found in zip(groups.values(), outcomes, strict=True):
            for (piece, place), outcome in zip(group, found, strict=True):
                if isinstance(outcome, Failed):
                    results.failed(piece, outcome.error)
                    continue
                pairs = [] if work is None else [*zip(place.files, piece.place.files, strict=True)]
                try:
                    gain = finish_files(pairs, _subtype(args), args.clip_mode, outcome.peak)
                except (ValueError, OSError) as error:
                    results.failed(piece, error)
                else:
                    results.done(piece, outcome, gain)


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of ``SeparateOptions``."""
    names = ("mode", "seed", "temperature", "top_k", "top_p", "min_presence", "global_scope")
    return {
        **{name: getattr(args, name) for name in names},
        "mask_from": args.reference,
        "windows": {"batch": "independent", "sequence": "continued"}[args.decode],
        "best_of": args.candidates,
        "blend": 0.5 if args.blend is None else args.blend,
    }


def _subtype(args: argparse.Namespace) -> str:
    return separate_options.SUBTYPES[args.bit_depth]


def _working_place(folder: Path, number: int, place: Place) -> Place:
    residual = None if place.residual is None else folder / f"{number}_residual.wav"
    return Place(folder / f"{number}_target.wav", residual)


@contextlib.contextmanager
def _folders(pieces: Sequence[Piece]) -> Iterator[None]:
    """Makes the folders of results; in the end those that stayed empty are taken away again."""
    made: list[Path] = []
    try:
        for folder in dict.fromkeys(file.parent for piece in pieces for file in piece.place.files):
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
def orderly_termination() -> Iterator[None]:
    """SIGTERM ends the process as an interrupt does, working files removed, with status 143."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def out_of_memory_in_a_line() -> Iterator[None]:
    """Turns what JAX and numpy raise when memory runs out into an OSError that says what to do."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise OSError("out of memory: use a smaller --batch, --segment or --dtype") from error
