"""Measure memory: read bandwidth, and peak use."""

import functools
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class Reader:
    """Read a large float32 array from memory, in the faster of two ways to read all of it once.

    The ways are a matrix-vector product and a sum over rows. size: of the array, 1 GB by default [byte].
    """

    def __init__(self, size: int = 2**30) -> None:
        columns = 4096
        self._data = jnp.ones((max(1, size // (4 * columns)), columns), jnp.float32)
        vector = jnp.ones((columns, 1), jnp.float32)
        product = jax.jit(jnp.matmul).lower(self._data, vector).compile()
        total = jax.jit(functools.partial(jnp.sum, axis=0)).lower(self._data).compile()
        self._ways = (lambda: product(self._data, vector), lambda: total(self._data))

    def rate(self) -> float:
        """Measure the current bandwidth [byte/s]."""
        return self._data.nbytes / min(self._seconds(way) for way in self._ways)

    def _seconds(self, way: Callable[[], jax.Array]) -> float:
        begun = time.perf_counter()
        way().block_until_ready()
        return time.perf_counter() - begun


def forget_peak() -> None:
    """Reset the peak on CPU, where the system allows it (Linux); accelerators keep theirs."""
    if jax.default_backend() == "cpu" and _CLEAR.exists():
        _CLEAR.write_text("5")


def peak_bytes() -> int:
    """Return the peak memory [byte]: of the device, or on CPU of this process since ``forget_peak``."""
    stats = None if jax.default_backend() == "cpu" else jax.devices()[0].memory_stats()
    if stats is not None:
        return int(stats["peak_bytes_in_use"])
    if _STATUS.exists():
        fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
        if "VmHWM" in fields:
            return 1024 * int(fields["VmHWM"].split()[0])
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
