"""``hsmtss visualize attention``: where in a recording the global token looks (Fig. 6)."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.audio.io import read_audio, resample, to_mono
from hsmtss_jax.cli.messages import CommandParser

if TYPE_CHECKING:
    import numpy as np


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss visualize attention",
        description="Draws the attention of the predicted global feature over the patches, in the local "
        "separator's last layer, with the mixture's log-mel spectrogram (the paper's Fig. 6).",
        epilog='example: hsmtss visualize attention street.wav "extract the dog" -o attention.png',
    )
    parser.add_argument("input", help="a recording; one window of it is drawn")
    parser.add_argument("instruction", help='what to do: "extract the violin", "remove the rain"')
    parser.add_argument("-o", "--output", type=Path, required=True, help="the PNG to write")
    parser.add_argument("--ckpt", help="folder of a pipeline bundle [the demo bundle]")
    parser.add_argument("--start", type=float, default=0.0, help="second it starts at [0]")
    parser.add_argument("--target", help="a reference recording to draw below")
    parser.add_argument("--heads", action="store_true", help="a panel for every head")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    if args.start < 0:
        raise ValueError("--start must be 0 or more")
    if args.heads and args.target:
        raise ValueError("--heads draws no reference: leave out --target")
    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.inference.pretrained import load_runtime
    from hsmtss_jax.inference.recording import check_recording
    from hsmtss_jax.instructions import parse
    from hsmtss_jax.visualization.attention import attention_maps, save_attention, save_heads

    asked = parse(args.instruction)
    enable_compilation_cache()
    system = load_runtime(args.ckpt)
    audio = _window(args.input, args.start, system.window, system.sample_rate)
    check_recording(audio[:, None], system.sample_rate)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    references = {}
    if args.target:
        reference = _window(args.target, args.start, system.window, system.sample_rate)
        references["target"] = reference
    maps = attention_maps(system, audio, asked, references.get("target"))
    title = f"{asked.task}: {asked.description}"
    if args.heads:
        save_heads(args.output, audio, maps["predicted G"], title=title)
    else:
        save_attention(args.output, audio, maps, title=title, references=references)
    print(args.output)
    return 0


def _window(path: str, start: float, samples: int, rate: int) -> "np.ndarray":
    """At most ``samples`` mono samples at ``rate`` from second ``start`` on."""
    file = read_audio(path)
    mono = resample(to_mono(file.samples)[:, None], file.sample_rate, rate)[:, 0]
    first = round(start * rate)
    if len(mono) - first < 0.05 * rate:
        raise ValueError(f"{path} lasts {len(mono) / rate:.2f} s: start 50 ms before its end")
    return mono[first : first + samples]
