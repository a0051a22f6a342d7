"""The options of ``hsmtss separate``: one parser, in groups, every value checked as it is read."""

import argparse
from collections.abc import Callable
from typing import Any

from hsmtss_jax.cli.messages import CommandParser

SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}
CLIP_MODES = ("rescale", "clamp", "none")
FORMATS = ("wav", "flac")
STATUSES = """\
exit status:
  0    every result was written, or was there already (--skip-existing)
  1    some inputs failed, each with a line on the error stream; the others were written
  2    nothing was written: a wrong option, or no input that could be used
  3    nothing failed, and at least one target is absent (--min-presence)
  130  interrupted; complete results stay

examples:
  hsmtss separate street.wav "remove the dog barking" -o quiet.wav
  hsmtss separate a.wav b.wav recordings/ -p "extract the dog" -p "remove the rain" -o out/
"""


def parse(argv: list[str]) -> argparse.Namespace:
    """Checked arguments. Raises ValueError of one line."""
    args = build_parser().parse_intermixed_args(argv)
    if args.bit_depth == "float" and args.format == "flac":
        raise ValueError("--bit-depth float needs --format wav: FLAC holds whole numbers")
    if args.clip_mode == "none" and args.bit_depth != "float":
        raise ValueError("--clip-mode none needs --bit-depth float: other samples end at 1")
    if args.end is not None and args.end <= args.start:
        raise ValueError(f"--end must lie behind --start, got {args.end:g} and {args.start:g}")
    if args.blend is not None and args.mode not in (None, "blend"):
        raise ValueError(f"--blend goes with --mode blend, not {args.mode}")
    if args.reference is not None and args.mode == "generate":
        raise ValueError("--reference is of a mask: leave it out of --mode generate")
    args.mode = args.mode or ("mask" if args.blend is None else "blend")
    args.reference = args.reference or "both"
    return args


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss separate",
        usage='hsmtss separate INPUT... "INSTRUCTION" [options]\n'
        '       hsmtss separate INPUT... -p "INSTRUCTION" [-p ...] [options]',
        description="Separate the sound that a sentence asks for.",
        epilog=STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "items",
        nargs="*",
        metavar="INPUT",
        help="recordings of any format, rate, channel count and length, and folders of them; "
        "without -p the last one is the instruction",
    )
    for add in (_request, _outputs, _method, _windows, _machine, _reports):
        add(parser)
    return parser


def _request(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to separate")
    add = group.add_argument
    add(
        *("-p", "--prompt"),
        action="append",
        metavar="TEXT",
        help='"extract the violin", "remove the rain"; several give a result each',
    )
    add(
        "--task",
        choices=("extract", "remove"),
        help="take the text as the description, word by word, for this task",
    )
    add("--start", type=_number(0), default=0.0, metavar="S", help="second to begin at [0]")
    add("--end", type=_number(0), metavar="S", help="second to end at [the end]")
    add(
        "--min-presence",
        type=_number(0, 1),
        metavar="SCORE",
        help="write nothing where the sound seems absent: its presence score is below this (0 to 1)",
    )
    add("--parser", choices=("rules", "local", "endpoint"), default="rules", help="[rules]")
    add("--parser-model", metavar="NAME", help="language model of --parser local or endpoint")
    add("--parser-url", metavar="URL", help="of --parser endpoint (OpenAI-compatible)")
    add("--plan", action="store_true", help="print what was understood as JSON, load no model")


def _outputs(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("output").add_argument
    add(
        *("-o", "--output"),
        metavar="PATH",
        help="a .wav or .flac file for one result, else a folder "
        "[one input: beside it, INPUT_separated.wav; several: the folder separated]",
    )
    add(
        "--filename",
        metavar="TEMPLATE",
        help="with {track} {stem} (target, residual) {prompt} {ext} [{track}_{stem}, with several "
        "prompts {track}_{prompt}_{stem}]",
    )
    add("--two-stems", action="store_true", help="write the rest of the recording as well")
    add("--format", choices=FORMATS, help="[wav]")
    add("--bit-depth", choices=tuple(SUBTYPES), default="16", help="[16]")
    add(
        "--clip-mode",
        choices=CLIP_MODES,
        default="rescale",
        help="of samples beyond 1: turn target and residual down together, clamp them, or leave "
        "them (with --bit-depth float) [rescale]",
    )
    add("--skip-existing", action="store_true", help="leave results that are there already")


def _method(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("method").add_argument
    add(
        "--mode",
        choices=("mask", "generate", "blend"),
        help="mask: what is the target's of the recording, in its channels; generate: the model's own "
        "sound, mono; blend: between the two [mask]",
    )
    add(
        "--reference",
        choices=("both", "target"),
        help="of the mask: the target's generated sound and the opposite task's, or the former alone, "
        "in half the time [both]",
    )
    add("--blend", type=_number(0, 1), metavar="SHARE", help="from mask (0) to generate (1) [0.5]")
    add(
        "--candidates",
        type=_integer(1),
        default=1,
        metavar="N",
        help="draw N times, keep what fits the description best [1]",
    )
    add("--seed", type=_integer(0), default=0, metavar="N", help="of the token sampling [0]")
    add("--temperature", type=_number(0), metavar="T", help="0 is greedy [the bundle's]")
    add("--top-k", type=_integer(0), metavar="K", help="codes kept, 0 for all [the bundle's]")
    add(
        "--top-p",
        type=_number(0, 1, above=True),
        metavar="P",
        help="probability mass kept [the bundle's]",
    )


def _windows(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("windows").add_argument
    add("--segment", type=_number(0, above=True), metavar="S", help="seconds [the model's own]")
    add("--overlap", type=_number(0, 0.9), default=0.25, help="share of a window [0.25]")
    add(
        "--decode",
        choices=("batch", "sequence"),
        default="batch",
        help="all windows at once, or each continuing the one before (slower) [batch]",
    )
    add(
        "--global-scope",
        choices=("window", "file"),
        default="window",
        help="file: one global feature for all windows, so that the target stays the same [window]",
    )


def _machine(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("model and machine").add_argument
    add("--ckpt", metavar="BUNDLE", help="folder or hub id of a pipeline [the demo bundle]")
    add("--device", metavar="NAME", help="cpu, gpu, tpu, gpu:1 [the fastest there is]")
    add(
        "--dtype",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="auto: float32 on a CPU, else bfloat16 [auto]",
    )
    add("--batch", type=_integer(1), metavar="N", help="sounds made at once [16]")


def _reports(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("reports").add_argument
    add("--json", metavar="FILE", help="write a JSON line a result; - is the standard output")
    add(
        "--figure",
        action=argparse.BooleanOptionalAction,
        help="a PNG beside the result: spectrograms and when the target sounds [for one result]",
    )
    add("--target", metavar="FILE", help="a reference recording to draw in the figure as well")
    add("-q", "--quiet", action="store_true", help="nothing but errors (and --json)")
    add("-v", "--verbose", action="store_true", help="what is loaded, and where the time goes")


def _number(low: float, high: float = float("inf"), above: bool = False) -> Callable[[str], Any]:
    """A float in [low, high], in ]low, high] where ``above``."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not (low < value <= high if above else low <= value <= high) or value == float("inf"):
            least = f"above {low:g}" if above else f"at least {low:g}"
            most = f" and at most {high:g}" if high < float("inf") else ""
            raise argparse.ArgumentTypeError(f"must be {least}{most}, got {text}")
        return value

    return read


def _integer(low: int) -> Callable[[str], Any]:
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if not low <= value < 2**31:
            raise argparse.ArgumentTypeError(f"must be at least {low} and below 2^31, got {text}")
        return value

    return read
