"""Seconds are added up by step."""

import time

from hsmtss_jax.inference.stopwatch import Stopwatch


def test_steps_add_up_within_the_total():
    stopwatch = Stopwatch()
    for _ in range(2):
        with stopwatch.timed("a"):
            time.sleep(0.01)
    with stopwatch.timed("b"):
        pass
    report = stopwatch.report()
    assert report["a"] >= 0.02 > report["b"] >= 0
    assert report["total"] >= report["a"] + report["b"] and set(report) == {"a", "b", "total"}
