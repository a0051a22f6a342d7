"""How long it takes, from what is done."""

import types

import pytest

from hsmtss_jax.bundles.pipeline import ROLES
from hsmtss_jax.inference.forecast import Forecast, memory_needed
from hsmtss_jax.testing.bundles import tiny_upstream
from hsmtss_jax.testing.fake_runtime import FakeRuntime


@pytest.fixture
def watch():
    """Feed (time, windows done) of 100 windows; what was told, and what progress saw."""

    def run(*marks):
        told, seen = [], []
        times = iter([when for when, _ in marks])
        forecast = Forecast(
            lambda *each: seen.append(each), lambda *each: told.append(each), lambda: next(times)
        )
        for _, done in marks:
            forecast(done, 100)
        assert seen == [(done, 100) for _, done in marks]
        return told

    return run


def test_the_first_batch_does_not_count(watch):
    """It took 30 s, of which most compiled."""
    assert watch((30.0, 10), (32.0, 20), (34.0, 30), (36.0, 40)) == [(pytest.approx(16.0), 100)]


def test_hope_is_corrected_once(watch):
    """Windows that were kept cost nothing."""
    told = watch((0.0, 10), (0.1, 20), (10.1, 30), (20.1, 40), (30.1, 50))
    assert told == [(pytest.approx(0.8), 100), (pytest.approx(35.35), 100)]


def test_what_is_done_at_once_needs_none(watch):
    assert watch((1.0, 50), (2.0, 100)) == [] and watch((1.0, 100)) == []


def test_memory():
    system = FakeRuntime()
    assert memory_needed(system) is None
    system.pipeline = types.SimpleNamespace(bundles=tiny_upstream(ROLES))
    few = memory_needed(system)
    system.batch = 32
    assert few is not None and few < memory_needed(system)
