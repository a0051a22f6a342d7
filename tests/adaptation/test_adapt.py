"""The whole way, at tiny size: clips in, a pipeline that loads and differs where it was tuned."""

import dataclasses

import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from hsmtss_jax.adaptation.adapt import Adaptation, adapt, load_whole
from hsmtss_jax.adaptation.training import TuningConfig
from hsmtss_jax.inference import Separator

TUNED = ("joint_separator", "mask_decoder")


@pytest.fixture(scope="module")
def adaptation(base, sounds, corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapted")
    return Adaptation(
        base=base,
        sounds=sounds,
        table=None,
        old=corpus,
        out=folder / "pipeline",
        workdir=folder / "work",
        tuning=TuningConfig(minutes=1e-6, batch_size=4, lr=1e-2),
    )


@pytest.fixture(scope="module")
def told(adaptation):
    lines = []
    adapt(adaptation, lines.append)
    return lines


def test_the_tuned_networks_change_and_nothing_else(adaptation, told):
    before, after = load_whole(adaptation.base), load_whole(adaptation.out)
    changed = [
        role for role in before.bundles if before.bundles[role].digest != after.bundles[role].digest
    ]
    assert changed == list(TUNED)
    assert after.meta["licence"] == "CC0-1.0" and after.meta["data"].startswith("adapted to mine")
    assert (adaptation.out / "LICENCE.md").read_text() == "CC0\n"
    for role in TUNED:
        old, new = (flatten_dict(each.bundles[role].params) for each in (before, after))
        assert any(not np.array_equal(old[name], new[name]) for name in old)


def test_it_says_what_it_does(told):
    assert told[0].startswith("train: 4 listed, 4 clips")
    assert any(line.startswith("joint_separator (1 of 2): 10 updates in ") for line in told)


def test_what_is_done_is_not_done_again(adaptation, told, tmp_path):
    lines = []
    adapt(dataclasses.replace(adaptation, out=tmp_path / "again"), lines.append)
    assert not any("updates" in line for line in lines)
    found = [load_whole(folder).bundles for folder in (adaptation.out, tmp_path / "again")]
    assert all(found[0][role].digest == found[1][role].digest for role in TUNED)


def test_the_adapted_pipeline_separates(adaptation, told):
    found = Separator.from_pretrained(adaptation.out).separate(
        np.sin(np.arange(16_000, dtype=np.float32) / 10), "extract the siren", sample_rate=16_000
    )
    assert found.target.shape == (16_000, 1)


def test_no_old_data_is_told_before_the_work(adaptation, tmp_path):
    with pytest.raises(OSError, match="none"):
        adapt(dataclasses.replace(adaptation, old=tmp_path / "none", out=tmp_path / "out"))
