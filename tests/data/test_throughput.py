"""Timing reads what the data set serves, and says ratios to the bare read."""

import dataclasses

import pytest

from hsmtss_jax.data.manifest import write_manifest
from hsmtss_jax.data.mixture_records import write_mixtures
from hsmtss_jax.data.throughput import RAW, measure_throughput


def test_every_view_is_timed(config):
    rows = measure_throughput(config, "train", samples=8000, seconds=0.02)
    assert [row.name for row in rows] == [RAW, "clip", "caption", "mixture"]
    assert rows[0].of_raw == 1.0
    for row in rows:
        assert row.per_second > 0 and row.per_core_second > 0 and row.of_raw > 0


def test_mixtures_on_disk_are_timed_against_their_own_records(config, tmp_path):
    write_manifest(tmp_path / "pairs", config, {"train": 8}, samples=8000)
    fly = dataclasses.replace(config, manifest=str(tmp_path / "pairs"))
    write_mixtures(tmp_path / "mixtures", fly)
    disk = dataclasses.replace(config, root=str(tmp_path / "mixtures"))
    for each in (fly, disk):
        rows = measure_throughput(each, "train", samples=8000, seconds=0.02)
        assert [row.name for row in rows] == [RAW, "mixture"]
    with pytest.raises(ValueError, match="serves none of clip"):
        measure_throughput(disk, "train", samples=8000, seconds=0.02, views=("clip",))
