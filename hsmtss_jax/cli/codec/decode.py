"""``hsmtss codec decode``: a token file to a recording."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.io import check_output, open_writer, resample_blocks, resampled_length
from hsmtss_jax.bundles.hub import locate
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import HEADING, ModelOptions, on_device
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.codec.token_file import Tokens, read_tokens
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecodeOptions:
    """Declare the command line of ``hsmtss codec decode``."""

    input: str = argument("a token file (.tfc)")
    output: Path = argument("the recording to write, in the format of its suffix")
    rate: int | None = option(
        None,
        "sample rate in Hz to write",
        low=1_000,
        high=768_000,
        metavar="HZ",
        default_help="16000",
    )
    quiet: bool = option(False, "no progress bar, no JSON line", short="-q")
    model: ModelOptions = part(ModelOptions, HEADING, only=("ckpt", "device"))  # always float32


def run(options: DecodeOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.output)
    tokens = read_tokens(options.input)
    rate = options.rate or tokens.sample_rate

    with on_device(options.model):
        from hsmtss_jax.codec.codec import Codec

        codec = Codec.from_pretrained(locate(options.model.ckpt))
        blocks = _with_progress(codec.decode_blocks(tokens), tokens, options.quiet)
        if rate != tokens.sample_rate:
            blocks = resample_blocks(blocks, 1, tokens.sample_rate, rate, tokens.samples)
        with open_writer(options.output, rate, 1) as writer:
            for block in blocks:
                writer.write(block)
    if not options.quiet:
        done = {
            "input": options.input,
            "output": str(options.output),
            "seconds": round(tokens.seconds, 3),
            "samples": resampled_length(tokens.samples, tokens.sample_rate, rate),
            "sample_rate": rate,
            "codec": tokens.digest,
        }
        print(json.dumps(done))
    return 0


def _with_progress(
    blocks: Iterator[np.ndarray], tokens: Tokens, quiet: bool
) -> Iterator[np.ndarray]:
    """Give the blocks as [l, 1], under a progress bar in seconds."""
    with progress_bar(round(tokens.seconds), unit="s", quiet=quiet) as progress:
        done = 0
        for block in blocks:
            yield block[:, None]
            done += len(block)
            progress(done // tokens.sample_rate, round(tokens.seconds))


COMMAND = Command(
    description="Decode a token file into a mono recording of the original's length, with the codec "
    "bundle that made the tokens.",
    epilog="example: hsmtss codec decode street.tfc street_decoded.wav --rate 44100",
    options=DecodeOptions,
    run=run,
)
