"""Memory: how fast it is read, and how much of it was in use at the peak."""

import resource
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp

from hsmtss_jax.benchmarks.timing import time_function

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def read_rate(repeats: int, size: int | None = None) -> float:
    """Bytes/s at which the device reads a large float32 array (default 1 GB) from memory.

    The faster of two ways to read all of it once: a matrix-vector product and a sum over rows.
    """
    columns = 4096
    rows = (size or 2**30) // (4 * columns)
    data = jnp.ones((rows, columns), jnp.float32)
    vector = jnp.ones((columns, 1), jnp.float32)

    def total(data: jax.Array, vector: jax.Array) -> jax.Array:
        return data.sum(axis=0)

    ways: tuple[Callable[..., jax.Array], ...] = (jnp.matmul, total)
    seconds = [time_function(way, data, vector, repeats=repeats).seconds for way in ways]
    return 4.0 * rows * columns / min(seconds)


def forget_peak() -> None:
    """Start a new peak on CPU, where the system allows it (Linux); accelerators keep theirs."""
    if jax.default_backend() == "cpu" and _CLEAR.exists():
        _CLEAR.write_text("5")


def peak_bytes() -> int:
    """The most memory in use so far: of the device, or on CPU of this process since ``forget_peak``."""
    stats = None if jax.default_backend() == "cpu" else jax.devices()[0].memory_stats()
    if stats is not None:
        return int(stats["peak_bytes_in_use"])
    if _STATUS.exists():
        fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
        if "VmHWM" in fields:
            return 1024 * int(fields["VmHWM"].split()[0])
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
