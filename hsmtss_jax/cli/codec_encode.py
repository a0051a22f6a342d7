"""``hsmtss codec encode``: a recording of any length to a token file."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.io import probe, read_blocks
from hsmtss_jax.cli.messages import CommandParser
from hsmtss_jax.codec.token_file import TokenFileError, write_tokens


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss codec encode",
        description="Encode a recording into a token file. Channels are averaged and the rate becomes "
        "16 kHz. Memory does not grow with the recording.",
        epilog="example: hsmtss codec encode street.wav street.tfc",
    )
    parser.add_argument("input", help="a recording: any format, rate, channel count, length")
    parser.add_argument("output", help="token file to write (.tfc)")
    parser.add_argument("--ckpt", help="folder of a codec or pipeline bundle [the demo bundle]")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar, no JSON line")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    source, output = Path(args.input), Path(args.output)
    seconds = probe(source).seconds
    _check_output(source, output)

    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.codec.codec import Codec

    enable_compilation_cache()
    codec = Codec.from_pretrained(args.ckpt)
    tokens = codec.encode_blocks(_blocks(source, codec.sample_rate, seconds, args.quiet))
    write_tokens(output, tokens)
    if not args.quiet:
        rates, size = codec.bit_rates(tokens), output.stat().st_size
        done = {
            "input": str(source),
            "output": str(output),
            "seconds": round(tokens.seconds, 3),
            "token_frames": len(tokens.values),
            "groups": tokens.values.shape[1],
            "codes": tokens.codes,
            "bytes": size,
            "raw_bits_per_second": round(rates.raw),
            "entropy_bits_per_second": round(rates.entropy),
            "stored_bits_per_second": round(8 * size / tokens.seconds),
            "codec": tokens.digest,
        }
        print(json.dumps(done))
    return 0


def _check_output(source: Path, output: Path) -> None:
    """Raises before any work where the file could not be written."""
    folder = output.resolve().parent
    if not folder.is_dir():
        raise TokenFileError(f"{output}: the folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise TokenFileError(f"{output}: no permission to write in {folder}")
    if output.exists() and not output.is_file():
        raise TokenFileError(f"{output}: exists and is not a file")
    if output.exists() and output.samefile(source):
        raise TokenFileError("the output would overwrite the input: choose another name")


def _blocks(source: Path, rate: int, seconds: float, quiet: bool) -> Iterator[np.ndarray]:
    """The recording in blocks of ten seconds, mono at ``rate``, under a progress bar."""
    from tqdm import tqdm

    hidden = quiet or not sys.stderr.isatty()
    with tqdm(total=round(seconds), unit="s", disable=hidden, leave=False) as bar:
        for block in read_blocks(source, 10 * rate, sample_rate=rate, mono=True):
            yield block[:, 0]
            bar.update(len(block) // rate)
