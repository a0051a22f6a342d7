"""What a resumed run may change, and what makes it another one."""

import copy

import pytest

from hsmtss_jax.conversion import to_dict
from hsmtss_jax.train.identity import check_same_run, differences
from tests.train.toy import toy_config


def identity(config):
    return {"experiment": to_dict(config), "upstream": {}}


def test_older_checkpoints_lack_newer_fields(tmp_path):
    """A run from before short_clips and amsgrad goes on as it was: with what they stand at by default."""
    saved = identity(toy_config())
    old = copy.deepcopy(saved)
    del old["experiment"]["data"]["short_clips"]
    for optim in old["experiment"]["optim"].values():
        del optim["amsgrad"]
    check_same_run(old, saved, tmp_path)
    changed = copy.deepcopy(saved)
    changed["experiment"]["data"]["short_clips"] = "pad"
    with pytest.raises(ValueError, match=r"data\.short_clips=repeat, not pad"):
        check_same_run(old, changed, tmp_path)


def test_other_upstream_bundles_are_another_run(tmp_path):
    saved = {**identity(toy_config()), "upstream": {"audio_mae": "0123456789abcdef"}}
    other = {**saved, "upstream": {"audio_mae": "fedcba9876543210"}}
    with pytest.raises(ValueError, match=r"upstream\.audio_mae \(digest\)=0123456789ab, not fedc"):
        check_same_run(saved, other, tmp_path)


def test_differences_are_named_by_their_path():
    before = {"name": "a", "model": {"width": 8, "depth": 2}, "old": 1}
    now = {"name": "b", "model": {"width": 16, "depth": 2}, "new": 1}
    assert differences(before, now) == ["model.width: 8, here 16"]
