"""``hsmtss separate`` and ``python infer.py``: arguments in, files and a JSON line out."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.audio.io import check_output, read_audio, to_mono, write_audio

if TYPE_CHECKING:
    from hsmtss_jax.inference.separator import Separator
    from hsmtss_jax.sampling.policies import Policy


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = argparse.ArgumentParser(
        prog="hsmtss separate",
        description="Separate the sound that a sentence asks for.",
        epilog='example: hsmtss separate street.wav "remove the dog barking" -o quiet.wav',
    )
    parser.add_argument("input", help="a recording: any format, rate, channel count, length")
    parser.add_argument("instruction", help='what to do: "extract the violin", "remove the rain"')
    parser.add_argument("-o", "--output", help="WAV or FLAC to write [INPUT_separated.wav]")
    parser.add_argument("--ckpt", help="folder of a pipeline bundle [the demo bundle]")
    parser.add_argument("--figure", help="PNG with the spectrograms [OUTPUT with .png]")
    parser.add_argument("--no-figure", action="store_true", help="write no PNG")
    parser.add_argument("--target", help="a reference recording to draw in the figure as well")
    parser.add_argument(
        "--mode",
        choices=("mask", "generate"),
        default="mask",
        help="mask: what is the target's of the recording, in its channels; generate: the model's own "
        "sound, mono [mask]",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the token sampling [0]")
    parser.add_argument("--temperature", type=float, help="0 is greedy [the bundle's]")
    parser.add_argument(
        "--top-k", type=int, help="codes kept in sampling, 0 for all [the bundle's]"
    )
    parser.add_argument("--top-p", type=float, help="probability mass kept [the bundle's]")
    parser.add_argument("--overlap", type=float, default=0.25, help="share of a window [0.25]")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar, no JSON line")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    source = Path(args.input)
    output = Path(args.output or source.with_name(f"{source.stem}_separated.wav"))
    figure = None if args.no_figure else Path(args.figure or output.with_suffix(".png"))
    _check_output(source, output, args.overlap)
    recording = read_audio(source)
    reference = read_audio(args.target) if args.target else None

    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.inference.separator import Separator, check_recording, demo_bundle
    from hsmtss_jax.instructions import parse

    check_recording(recording.samples, recording.sample_rate)
    instruction = parse(args.instruction)
    enable_compilation_cache()
    separator = Separator.from_pretrained(args.ckpt, overlap=args.overlap)
    with _progress_bar(args.quiet) as report:
        result = separator.separate(
            recording.samples,
            instruction,
            sample_rate=recording.sample_rate,
            mode=args.mode,
            seed=args.seed,
            policy=_policy(args, separator),
            progress=report,
        )
    write_audio(output, result.target, result.sample_rate)
    if figure:
        from hsmtss_jax.visualization import save_comparison

        sounds = {"mixture": to_mono(recording.samples), args.instruction: to_mono(result.target)}
        if reference is not None:
            sounds["target"] = to_mono(reference.samples)
        save_comparison(figure, sounds, result.sample_rate)
    if not args.quiet:
        done = {
            "input": str(source),
            "output": str(output),
            "figure": str(figure) if figure else None,
            "instruction": args.instruction,
            "task": result.instruction.task,
            "description": result.instruction.description,
            "seconds": round(len(result.target) / result.sample_rate, 3),
            "sample_rate": result.sample_rate,
            "mode": result.mode,
            "windows": result.windows,
            "seed": args.seed,
            "checkpoint": str(args.ckpt or demo_bundle().name),
            "timing": {name: round(value, 3) for name, value in result.timing.items()},
        }
        print(json.dumps(done))
    return 0


def _check_output(source: Path, output: Path, overlap: float) -> None:
    """Raise before any work where the result could not be written or the options make no sense."""
    check_output(output)
    if output.exists() and source.exists() and output.samefile(source):
        raise ValueError("the output would overwrite the input: choose another -o")
    if not 0 <= overlap <= 0.9:
        raise ValueError(f"--overlap must lie between 0 and 0.9, got {overlap}")


def _policy(args: argparse.Namespace, separator: "Separator") -> "Policy":
    """The bundle's sampling policy with the command line's changes."""
    changes = {name: getattr(args, name) for name in ("temperature", "top_k", "top_p")}
    given = {name: value for name, value in changes.items() if value is not None}
    return dataclasses.replace(separator.system.pipeline.sampling, **given)


class _progress_bar:
    """A tqdm bar over windows on the error stream; silent when quiet or not on a terminal."""

    def __init__(self, quiet: bool) -> None:
        from tqdm import tqdm

        self._bar = tqdm(unit="window", disable=quiet or not sys.stderr.isatty(), leave=False)

    def __enter__(self) -> Callable[[int, int], None]:
        return self._update

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def _update(self, done: int, total: int) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)
