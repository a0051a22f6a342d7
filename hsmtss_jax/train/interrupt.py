"""Take SIGTERM, SIGINT and SIGHUP (a lost terminal) as a request to save and stop."""

import signal
import threading
from types import FrameType
from typing import Any


class TryAgainError(OSError):
    """Report that a run was stopped by something that the same command may not meet again."""


class Interrupt:
    """Keep the first signal while entered, as ``number``; a second one acts as it always did."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._former: dict[int, Any] = {}

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                if signal.getsignal(number) != signal.SIG_IGN:  # nohup
                    self._former[number] = signal.signal(number, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    @property
    def requested(self) -> bool:
        """Return whether a signal came."""
        return self.number is not None

    def _request(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.number = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former.clear()
