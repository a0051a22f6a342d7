"""Start a command that ends with us: told to stop when we are, also where we are killed."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# Asks Linux for SIGTERM when the parent dies (PR_SET_PDEATHSIG), so that a training saves and frees its
# workdir, then becomes the command. A program of its own: forking a process that holds JAX may hang.
_LEASH = """
import ctypes, os, sys
parent, command = int(sys.argv[1]), sys.argv[2:]
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() == parent:
    os.execvp(command[0], command)
"""


class Process:
    """Hold a running command, whose output goes to a log."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def poll(self) -> int | None:
        """Return its exit status, None while it runs; 128 + the signal that killed it."""
        status = self._process.poll()
        return status if status is None or status >= 0 else 128 - status

    def stop(self) -> None:
        """Tell it to save and end, and wait until it has."""
        self._process.terminate()
        self._process.wait()


def start(words: Sequence[str], log: Path, environment: Mapping[str, str]) -> Process:
    """Start a command in a session of its own, so that an interrupt at the terminal reaches it once."""
    leash = [sys.executable, "-c", _LEASH, str(os.getpid())] if sys.platform == "linux" else []
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*leash, *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
    return Process(process)
