"""Every experiment at every size: its init and its training step type-check at their real shapes."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.config import SIZES, load_config
from hsmtss_jax.conversion import check_values, from_json, override, to_dict, to_json
from hsmtss_jax.stages import STAGES, stage_class
from hsmtss_jax.testing.bundles import build_stage, make_stage, step_input
from hsmtss_jax.train.optim import make_optimizer, make_schedule
from hsmtss_jax.train.state import create_state
from hsmtss_jax.train.step import make_step

EXPERIMENTS = (*STAGES, "tf_codec_adversarial")
CASES = [(name, size) for name in EXPERIMENTS for size in SIZES]
TRAINED = [(name, "tiny") for name in STAGES]  # for real, in tests/e2e
MIXTURES = ("global_separator", "local_separator", "joint_separator", "single_stage")
CAPTIONED = ("q_audio", "captioner", *MIXTURES, "mask_separator", "mask_decoder")


@pytest.mark.parametrize(("name", "size"), [case for case in CASES if case not in TRAINED])
def test_init_and_step_have_shapes(name, size):
    config = load_config(name, size)
    stage = build_stage(config, size, abstract=True)
    batch = stage.batch_spec()
    frozen = {key: _specs(bundle.params) for key, bundle in stage.upstream.items()}
    key = jax.eval_shape(lambda: jax.random.key(0))
    params, aux = jax.eval_shape(stage.init, key, batch, frozen)
    assert set(params) == set(stage.objectives()) == set(config.optim)
    optimizers = {
        group: make_optimizer(config.optim[group], params[group], config.run.steps)
        for group in params
    }
    averaged = {group for group, optim in config.optim.items() if optim.ema}
    state = jax.eval_shape(lambda p, a: create_state(p, a, optimizers, averaged), params, aux)
    step = make_step(stage.objectives(), optimizers, config.optim, config.run.steps)
    used = {key: value for key, value in frozen.items() if key not in stage.init_only_names}
    after, metrics = jax.eval_shape(step, state, batch, used, key)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert all(value.shape == () for value in metrics.values())
    inputs = step_input(stage, state.params, batch, aux=state.aux, frozen=used)
    values = jax.eval_shape(stage.eval_metrics, inputs)
    assert {value.shape for value in values.values()} == {(stage.data.batch_size,)}
    assert stage.best_metric in values


@pytest.mark.parametrize(("name", "size"), CASES)
def test_json_gives_the_config_back(name, size):
    config = load_config(name, size)
    check_values(config)
    text = to_json(config)
    json.loads(text)
    kind = stage_class(config.stage.name).config_class
    assert from_json(text, kind) == config
    stage = build_stage(config, size, abstract=True)
    whole = dataclasses.replace(config, stage=stage.config)  # as a checkpoint and a bundle hold it
    assert from_json(to_json(whole), kind) == whole and "null" not in _without_start(whole.stage)


def _specs(tree):
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, jnp.float32), tree)


def _without_start(stage):
    """The stage as JSON, without the one field that may be None for good."""
    return json.dumps({k: v for k, v in to_dict(stage).items() if k != "adversarial_start"})


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_papers_data(name):
    """Clips as they are, cut or padded to the window; plain sums with an SNR within 15 dB."""
    data = load_config(name, "paper").data
    assert (data.augment, data.balance, data.short_clips) == (False, 0.0, "pad")
    folders = [each.root for each in data.sets]
    if name in CAPTIONED:
        known = ("audiocaps", "clotho", "fsd50k", "wavcaps")
        assert folders == [f"corpora/{each}" for each in known]
    elif name == "audio_mae":
        assert folders == ["corpora/audioset"]
    else:  # codec and acoustic decoder: 2,000 h of each
        assert folders == ["corpora/audioset", "corpora/jamendo", "corpora/speech"]
        assert {(each.weight, each.hours) for each in data.sets} == {(1.0, 2_000.0)}
    if name == "mask_separator":  # AudioSep's own mixing
        assert (data.mix_mode, data.snr_db) == ("scale", (-10.0, 10.0))
    else:
        assert (data.mix_mode, data.snr_db) == ("raw_reject", (-15.0, 15.0))


@pytest.mark.parametrize("name", [*MIXTURES, "q_audio", "captioner", "audio_mae"])
def test_the_papers_windows_are_ten_seconds(name):
    assert load_config(name, "paper").stage.samples == 160_000


def test_the_baseline_has_audioseps_recipe():
    """AudioSep at 944583f: AdamW without decay, with amsgrad, unclipped, three stairs of 10 k steps."""
    config = load_config("mask_separator", "paper")
    optim, rate = config.optim["model"], make_schedule(config.optim["model"], config.run.steps)
    assert (optim.weight_decay, optim.amsgrad, optim.clip, optim.ema) == (0.0, True, 0.0, 0.0)
    assert (optim.b1, optim.b2) == (0.9, 0.999) and config.stage.samples == 80_000
    edges = (0, 9_999, 10_000, 19_999, 20_000, 29_999, 30_000, 999_999)
    expected = (1e-6, 1e-6, 1e-5, 1e-5, 1e-4, 1e-4, 1e-3, 1e-3)
    np.testing.assert_allclose([rate(step) for step in edges], expected, rtol=1e-6)


def test_a_size_that_contradicts_the_upstream_is_refused():
    config = override(load_config("q_audio", "tiny"), ["stage.model.text_width=17"])
    with pytest.raises(
        ValueError, match=r"stage\.model\.text_width=17, but the upstream bundle has 16"
    ):
        build_stage(config, "tiny")
    config = override(load_config("q_audio", "tiny"), ["stage.model.text_width=16"])
    assert build_stage(config, "tiny").config == make_stage("q_audio").config
