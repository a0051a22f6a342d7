"""Define how long work reports what is done of it."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # (done, total), in the caller's units
