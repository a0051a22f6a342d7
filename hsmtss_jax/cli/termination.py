"""End a command that is told to stop as an interrupt does: working files are removed."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def orderly_termination() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise SystemExit with status 143 and 129; what is ignored stays so (nohup)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {
        number: signal.getsignal(number)
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) == signal.SIG_DFL
    }
    try:
        for number in former:
            signal.signal(number, _stop)
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    """Raise once: a second signal must not stop the removal of working files."""
    del frame
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)
