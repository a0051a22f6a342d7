"""``hsmtss describe``: what a recording sounds like, in words, from window to window."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.cli.evaluate_options import at_least_one
from hsmtss_jax.cli.inputs import find_inputs
from hsmtss_jax.cli.messages import CommandParser, fail, one_line

if TYPE_CHECKING:
    from hsmtss_jax.inference.captioner import Captioner, Span


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss describe",
        description="Write a sentence for every window of recordings: a hint at what there is to "
        "separate. The pipeline must hold a captioner; the demo's knows a few hundred everyday sounds, "
        "names the loudest, and is often wrong.",
        epilog="example: hsmtss describe street.wav",
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="recordings, and folders of them"
    )
    parser.add_argument(
        "--ckpt", metavar="BUNDLE", help="folder or hub id of a pipeline [the demo]"
    )
    parser.add_argument("--beams", type=int, default=5, help="[5]")
    parser.add_argument("--max-tokens", type=int, default=32, help="of a sentence [32]")
    parser.add_argument("--batch", type=int, default=8, help="windows at once [8]")
    parser.add_argument("--json", action="store_true", help="a JSON line a recording")
    return parser


def main(argv: list[str]) -> int:
    """Run the command: status 2 when no recording could be described, 1 when some could not."""
    args = build_parser().parse_args(argv)
    at_least_one(args, "beams", "max_tokens", "batch")
    inputs, problems = find_inputs(args.inputs)
    for problem in problems:
        fail(one_line(problem))
    failed = len(problems)
    writer = _writer(args.ckpt) if inputs else None
    for item in inputs:
        assert writer is not None
        try:
            _print(item.path, _describe(writer, item.path, args), args.json)
        except (ValueError, OSError) as error:
            failed += 1
            fail(one_line(error))
    return 0 if not failed else 1 if failed < len(inputs) + len(problems) else 2


def _writer(source: str | None) -> "Captioner":
    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.inference.captioner import Captioner

    enable_compilation_cache()
    return Captioner.from_pretrained(source)


def _describe(writer: "Captioner", path: Path, args: argparse.Namespace) -> "list[Span]":
    """The spans of a recording; what is wrong with it is said with its name."""
    from hsmtss_jax.audio.io import AudioError
    from hsmtss_jax.inference.recording import open_recording

    options = {"batch": args.batch, "beams": args.beams, "tokens": args.max_tokens}
    try:
        return list(writer.describe(open_recording(path), **options))
    except AudioError:
        raise  # names the file
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _print(path: Path, spans: "list[Span]", as_json: bool) -> None:
    if as_json:
        document = {"input": str(path), "spans": [dataclasses.asdict(span) for span in spans]}
        print(json.dumps(document), flush=True)
        return
    print(path)
    for span in spans:
        print(f"{span.start:8.1f} - {span.end:.1f} s  {span.text or '(silence)'}")
    sys.stdout.flush()
