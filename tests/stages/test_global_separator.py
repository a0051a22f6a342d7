"""The global separator's stage: its loss, its metrics, the sizes it takes from Q-Audio."""

import dataclasses

import jax
import numpy as np
import pytest

from hsmtss_jax.stages.global_separator import GlobalSeparatorStage
from tests.stages.separators import (
    assert_evaluates,
    gradient_of,
    inputs_of,
    losses_of_steps,
    params_of,
    stage_of,
)

NAME = "global_separator"


def test_a_few_steps_on_one_batch_lower_the_loss():
    losses = losses_of_steps(NAME)
    assert losses[-1] < 0.9 * losses[0], losses


def test_the_loss_is_similarity_and_l1():
    (loss, metrics), _ = gradient_of(NAME, inputs_of(NAME))
    np.testing.assert_allclose(loss, 1.0 - metrics["cos"] + metrics["l1"], rtol=1e-5)


def test_eval_metrics_are_per_example_and_deterministic():
    assert_evaluates(NAME, "global")


def test_the_release_is_what_was_trained():
    released = stage_of(NAME).release(params_of(NAME), {})
    jax.tree.map(np.testing.assert_array_equal, released, params_of(NAME)["model"])


def test_the_width_of_g_is_q_audio_s():
    stage = stage_of(NAME)
    assert stage.config.model.global_width == 64
    model = dataclasses.replace(stage.config.model, global_width=32)
    config = dataclasses.replace(stage.config, model=model)
    with pytest.raises(ValueError, match=r"stage\.model\.global_width=32, but the upstream"):
        GlobalSeparatorStage(config, stage.data, stage.upstream)
