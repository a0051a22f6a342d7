"""The fine-tuned decoder reads what the separators give and writes the target's tokens."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.inference.pipeline import check_upstream
from hsmtss_jax.train.stage import StepInput
from tests.upstream import frozen_params, make_stage, zero_batch


@pytest.fixture(scope="module")
def stage():
    return make_stage("decoder_tuning", batch_size=4)


@pytest.fixture(scope="module")
def batch(stage):
    noise = np.random.default_rng(0).normal(size=(2, 4, stage.config.samples)).astype(np.float32)
    spec = zero_batch(stage)
    ids = jnp.ones_like(spec["text_ids"])
    mask = jnp.ones_like(spec["text_mask"])
    sounds = {"mixture": jnp.asarray(0.1 * noise[0]), "target": jnp.asarray(0.1 * noise[1])}
    return spec | sounds | {"text_ids": ids, "text_mask": mask}


def test_it_starts_as_the_trained_decoder(stage, batch):
    params, aux = stage.init(jax.random.key(0), batch, frozen_params(stage))
    trained = stage.upstream["acoustic_decoder"].params
    jax.tree.map(np.testing.assert_array_equal, params["model"], trained)
    assert aux == {} and stage.release(params, aux) is params["model"]


def test_plain_examples_are_the_mixture_s_own_and_the_others_the_separators_estimate(stage, batch):
    frozen = frozen_params(stage)
    plain = jnp.array([True, False, True, False])
    read = stage.read_tokens(frozen, batch, plain)
    s_mix = stage.features.local(frozen, batch["mixture"])
    np.testing.assert_array_equal(read.s[plain], s_mix[plain])
    assert float(jnp.abs(read.s - s_mix)[~plain].max()) > 1e-3

    def tokens(name):
        codec = stage.codec.make(jnp.float32)
        return codec.apply(frozen["tf_codec"], batch[name], method="encode")

    np.testing.assert_array_equal(read.tokens[plain], tokens("mixture")[plain])
    np.testing.assert_array_equal(read.tokens[~plain], tokens("target")[~plain])


def test_the_task_changes_what_is_read(stage, batch):
    plain = jnp.zeros(4, bool)
    frozen = frozen_params(stage)
    one, other = (
        stage.read_tokens(frozen, batch | {"task": jnp.full(4, task)}, plain).s for task in (0, 1)
    )
    assert float(jnp.abs(one - other).max()) > 1e-6


def test_every_parameter_learns_and_nothing_upstream_does(stage, batch):
    frozen = jax.tree.map(jnp.asarray, frozen_params(stage))
    del frozen["acoustic_decoder"]  # init alone reads it
    params, aux = stage.init(jax.random.key(0), batch, frozen_params(stage))

    def loss(params, frozen):
        key = jax.random.key(1)
        inputs = StepInput(params, aux, frozen, batch, key, jnp.zeros((), jnp.int32), None)
        return stage.objectives()["model"](inputs)[0]

    grads = jax.jit(jax.grad(loss))(params, frozen)
    assert all(np.isfinite(g).all() and np.abs(g).max() > 0 for g in jax.tree.leaves(grads))
    separators = {"joint_separator": frozen["joint_separator"]}
    upstream = jax.jit(jax.grad(lambda tree: loss(params, frozen | tree)))(separators)
    assert not any(np.abs(g).max() for g in jax.tree.leaves(upstream))


def test_other_sizes_than_the_bundle_s_are_refused(stage):
    config = dataclasses.replace(
        stage.config, model=dataclasses.replace(stage.config.model, width=32)
    )
    with pytest.raises(ValueError, match="same sizes"):
        type(stage)(config, stage.data, stage.upstream)


def test_a_pipeline_takes_a_tuned_decoder_with_the_separators_it_was_tuned_on(stage):
    names = ("audio_mae", "text_encoder", "q_audio", "joint_separator", "tf_codec")
    bundles = {name: stage.upstream[name] for name in names}
    upstream = {name: bundle.digest for name, bundle in stage.upstream.items()}
    decoder = dataclasses.replace(
        stage.upstream["acoustic_decoder"], digest="tuned", upstream=upstream
    )
    check_upstream(bundles | {"acoustic_decoder": decoder})
    other = dataclasses.replace(bundles["joint_separator"], digest="other")
    with pytest.raises(ValueError, match="trained against joint_separator"):
        check_upstream(bundles | {"acoustic_decoder": decoder, "joint_separator": other})
