"""``hsmtss codec decode``: a token file to a recording."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.io import check_output, open_writer, resample_blocks, resampled_length
from hsmtss_jax.cli.messages import CommandParser
from hsmtss_jax.codec.token_file import Tokens, read_tokens


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss codec decode",
        description="Decode a token file into a mono recording of the original's length, with the "
        "codec bundle that made the tokens.",
        epilog="example: hsmtss codec decode street.tfc street_decoded.wav --rate 44100",
    )
    parser.add_argument("input", help="a token file (.tfc)")
    parser.add_argument("output", help="WAV or FLAC to write")
    parser.add_argument("--ckpt", help="folder of a codec or pipeline bundle [the demo bundle]")
    parser.add_argument("--rate", type=int, help="sample rate in Hz to write [16000]")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar, no JSON line")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    output = Path(args.output)
    check_output(output)
    if args.rate is not None and not 1_000 <= args.rate <= 768_000:
        raise ValueError(f"--rate must lie between 1000 and 768000 Hz, got {args.rate}")
    tokens = read_tokens(args.input)

    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.codec.codec import Codec

    enable_compilation_cache()
    codec = Codec.from_pretrained(args.ckpt)
    rate = args.rate or tokens.sample_rate
    blocks = _progress(codec.decode_blocks(tokens), tokens, args.quiet)
    if rate != tokens.sample_rate:
        blocks = resample_blocks(blocks, 1, tokens.sample_rate, rate, tokens.samples)
    with open_writer(output, rate, 1) as writer:
        for block in blocks:
            writer.write(block)
    if not args.quiet:
        done = {
            "input": args.input,
            "output": str(output),
            "seconds": round(tokens.seconds, 3),
            "samples": resampled_length(tokens.samples, tokens.sample_rate, rate),
            "sample_rate": rate,
            "codec": tokens.digest,
        }
        print(json.dumps(done))
    return 0


def _progress(blocks: Iterator[np.ndarray], tokens: Tokens, quiet: bool) -> Iterator[np.ndarray]:
    """The blocks as [l, 1], under a progress bar in seconds."""
    from tqdm import tqdm

    hidden = quiet or not sys.stderr.isatty()
    with tqdm(total=round(tokens.seconds), unit="s", disable=hidden, leave=False) as bar:
        done = 0
        for block in blocks:
            yield block[:, None]
            done += len(block)
            bar.update(done // tokens.sample_rate - bar.n)
