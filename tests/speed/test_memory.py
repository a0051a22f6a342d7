"""Memory: rates and peaks."""

import gc

import numpy as np

from hsmtss_jax.speed import memory


def test_memory_is_measured():
    assert memory.Reader(2**20).rate() > 1e6
    assert any(_peak_of(200_000_000) > 100_000_000 for _ in range(5))


def _peak_of(size: int) -> int:
    """What an array adds to the peak; less where the process gives memory back meanwhile."""
    gc.collect()
    memory.forget_peak()
    before = memory.peak_bytes()
    held = np.ones(size, np.uint8)
    assert before > 10e6 and held[-1] == 1
    return memory.peak_bytes() - before
