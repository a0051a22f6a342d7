"""From a step's figures to hours, disk and price."""

import pytest

from hsmtss_jax.config import ExperimentConfig, RunConfig, StageConfig
from hsmtss_jax.planning.devices import GIB
from hsmtss_jax.planning.flop import Work
from hsmtss_jax.planning.forecast import COLUMNS, Rates, cells, forecast, largest_batch
from hsmtss_jax.planning.program import Memory, StepFigures


def step(batch=64, flop=1e15, turns=0, temporary=4 * GIB):
    memory = Memory(state=2 * GIB, frozen=GIB, batch=0, temporary=temporary)
    return StepFigures(batch, 8, 10_000_000, 0, Work(flop, turns), memory, checkpoint=1e8)


def rows(**changes):
    config = ExperimentConfig(stage=StageConfig(name="x"), run=RunConfig(steps=3600, keep=3))
    return forecast("x", config, step(**changes), Rates("tpu-v5e", share=0.5, turn=1e-5))


def test_time_is_flop_by_the_share_of_the_peak():
    row = rows()
    assert row.seconds == pytest.approx(1e15 / (8 * 197e12 * 0.5))
    assert row.hours == pytest.approx(row.seconds)  # 3600 steps
    assert row.price == pytest.approx(row.hours * 8 * 1.2)
    assert row.fits == 7 / 16


def test_a_loop_over_time_takes_its_turns():
    assert rows(flop=1.0, turns=2000).seconds == pytest.approx(0.02)


def test_disk_holds_the_kept_checkpoints_and_the_bundle():
    assert rows().disk == 4 * 1e8 + 4e7


def test_a_price_can_be_given():
    assert Rates("h100", price=1.5).chip_hour == 1.5 and Rates("h100").chip_hour > 1.5


def test_the_largest_batch_fills_nine_tenths():
    """3 GiB stay, 1 GiB for 64 examples at first: 14.4 - 4 GiB hold 10.4 times 64 more."""
    small, large = step(64, temporary=GIB), step(128, temporary=2 * GIB)
    assert largest_batch(small, large, 16 * GIB) == (64 + int(10.4 * 64)) // 8 * 8
    assert largest_batch(small, large, 2 * GIB) == 0
    assert largest_batch(small, step(128, temporary=GIB), 16 * GIB) == 128


def test_every_cell_has_a_column():
    assert set(cells(rows())) == {column.key for column in COLUMNS}
