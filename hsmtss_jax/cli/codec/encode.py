"""``hsmtss codec encode``: a recording of any length to a token file."""

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.io import probe, read_blocks
from hsmtss_jax.bundles.hub import locate
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.discovery import recording_path
from hsmtss_jax.cli.model import HEADING, ModelOptions, on_device
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.codec.token_file import TokenFileError, write_tokens
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """Declare the command line of ``hsmtss codec encode``."""

    input: Path = argument(
        "a recording: any format, rate, channel count, length; - is the standard input"
    )
    output: Path = argument("token file to write (.tfc)")
    quiet: bool = option(False, "no progress bar, no JSON line", short="-q")
    model: ModelOptions = part(ModelOptions, HEADING, only=("ckpt", "device"))  # always float32


def run(options: EncodeOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    source = recording_path(options.input)
    seconds = probe(source).seconds
    _check_output(source, options.output)

    with on_device(options.model):
        from hsmtss_jax.codec.codec import Codec

        codec = Codec.from_pretrained(locate(options.model.ckpt))
        blocks = _blocks(source, codec.sample_rate, seconds, options.quiet)
        tokens = codec.encode_blocks(blocks)
    write_tokens(options.output, tokens)
    if not options.quiet:
        rates, size = codec.bit_rates(tokens), options.output.stat().st_size
        done = {
            "input": str(source),
            "output": str(options.output),
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
    """Raise before any work where the file could not be written."""
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
    """Read the recording in blocks of ten seconds, mono at ``rate``, under a progress bar."""
    with progress_bar(round(seconds), unit="s", quiet=quiet) as progress:
        done = 0
        for block in read_blocks(source, 10 * rate, sample_rate=rate, mono=True):
            yield block[:, 0]
            done += len(block)
            progress(done // rate, round(seconds))


COMMAND = Command(
    description="Encode a recording into a token file. Channels are averaged and the rate becomes 16 kHz. "
    "Memory does not grow with the recording.",
    epilog="example: hsmtss codec encode street.wav street.tfc",
    options=EncodeOptions,
    run=run,
)
