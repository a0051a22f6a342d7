"""What a run may change when it is resumed, also one of an older version."""

import copy

import pytest

from hsmtss_jax.config import to_dict
from hsmtss_jax.train.checkpoint import check_same_run
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
