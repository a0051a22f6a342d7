"""``hsmtss separate`` and ``python infer.py``: recordings and sentences in, files out."""

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.separate.options import SeparateCommand, resolve

__all__ = ["COMMAND"]

_EPILOG = """\
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


def _run(options: SeparateCommand, context: Context) -> int:
    from hsmtss_jax.cli.separate.run import run

    return run(options, context)


COMMAND = Command(
    description="Separate the sound that a sentence asks for.",
    options=SeparateCommand,
    run=_run,
    resolve=resolve,
    usage='hsmtss separate INPUT... "INSTRUCTION" [options]\n'
    '       hsmtss separate INPUT... -p "INSTRUCTION" [-p ...] [options]',
    epilog=_EPILOG,
)
