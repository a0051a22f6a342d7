"""Judges by name."""

import pytest

from hsmtss_jax.bundles.bundle import Bundle, save_bundle
from hsmtss_jax.bundles.importers.cnn14 import cnn14_config, import_cnn14
from hsmtss_jax.evaluation.judges import make_judge
from hsmtss_jax.testing.bundles import tiny_upstream
from tests.bundles.importers.cnn14_state import cnn14_state


def test_a_bundle_says_which_judge_it_is(tmp_path):
    state = cnn14_state()
    config = cnn14_config(state)
    described = {"model": {"channels": config.channels, "width": 7, "classes": 9}}
    saved = save_bundle(tmp_path / "a", Bundle("cnn14", described, import_cnn14(config, state)))
    judge = make_judge(str(tmp_path / "a"))
    assert judge.name == "Cnn14" and judge.digest == saved.digest and judge.classes == ()


def test_what_is_no_judge_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no judge nowhere: give yamnet, or the folder"):
        make_judge("nowhere")
    save_bundle(tmp_path / "text", tiny_upstream(["text_encoder"])["text_encoder"])
    with pytest.raises(ValueError, match="is a bundle of text_encoder, no judge"):
        make_judge(str(tmp_path / "text"))
