"""``hsmtss codec info``: what a token file holds."""

import dataclasses
import json

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.options import argument


@dataclasses.dataclass(frozen=True, kw_only=True)
class InfoOptions:
    """Declare the command line of ``hsmtss codec info``."""

    input: str = argument("a token file (.tfc)")


def run(options: InfoOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.codec.token_file import probe_tokens

    info = probe_tokens(options.input)
    document = {
        "input": options.input,
        "seconds": round(info.seconds, 3),
        **dataclasses.asdict(info),
        "stored_bits_per_second": round(8 * info.bytes / info.seconds),
    }
    print(json.dumps(document))
    return 0


COMMAND = Command(
    description="Print a token file's header as JSON, after checking the file's sum.",
    epilog="example: hsmtss codec info street.tfc",
    options=InfoOptions,
    run=run,
)
