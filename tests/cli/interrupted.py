"""A slow command in a process of its own, interrupted in the middle of its work."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and one of nohup this
from pathlib import Path
from tests.cli.conftest import CommandRuntime
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.main import main
calls = []
class Slow(CommandRuntime):
    def decode_tokens(self, tokens, samples, *, gate=True):
        calls.append(1)
        if len(calls) == 2:
            print("working", flush=True)
            time.sleep(60)
        return super().decode_tokens(tokens, samples, gate=gate)
context = Context(load_runtime=lambda source, dtype, device, batch: Slow(batch))
sys.exit(main(sys.argv[1:], context))
"""


class Ended(NamedTuple):
    """How the process ended."""

    status: int
    errors: str


def interrupt(argv: Sequence[object], number: int, cache: Path) -> Ended:
    """Run ``hsmtss`` with these arguments and send it a signal at its second batch."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, argv)],
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        while "working" not in (line := process.stdout.readline()):
            assert line, process.stderr.read()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    return Ended(process.returncode, errors)
