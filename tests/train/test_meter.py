"""Numbers of a log interval: means of what is finite, speed, and how they are shown."""

import math

import jax.numpy as jnp

from hsmtss_jax.train.meter import LogInterval, line, short


def test_a_number_that_is_not_finite_is_left_out_of_the_mean():
    interval = LogInterval(10)
    for loss, other in ((1.0, math.nan), (math.nan, math.inf), (3.0, math.nan)):
        interval.add({"loss": jnp.float32(loss), "other": jnp.float32(other)})
    means = interval.means()
    assert means["loss"] == 2.0 and math.isnan(means["other"])


def test_speed():
    interval = LogInterval(10, waited=2.0)
    interval.begun -= 10.0
    speed = interval.speed(30, waited=4.5, batch_size=8)
    assert abs(speed["speed/steps_per_second"] - 2.0) < 0.1
    assert speed["speed/examples_per_second"] == 8 * speed["speed/steps_per_second"]
    assert abs(speed["speed/data_wait"] - 0.25) < 0.01


def test_numbers_are_shown_shortly():
    values = {"train/model/loss": 0.123456, "train/model/lr": 1e-4}
    assert short(values) == {"model/loss": "0.1235"}
    assert line(values) == "train/model/loss=0.1235 train/model/lr=0.0001"
