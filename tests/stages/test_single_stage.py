"""The single-stage ablation: it reads the text encoder itself, and no G."""

import jax
import numpy as np

from hsmtss_jax.testing.bundles import frozen_params, make_stage
from tests.stages.separators import (
    BATCH,
    assert_evaluates,
    assert_patch_maps,
    params_of,
    stage_of,
    waves_of,
)

NAME = "single_stage"


def test_the_single_stage_reads_the_text_encoder_and_no_g():
    stage = make_stage(NAME, batch_size=BATCH)
    frozen, batch = frozen_params(stage), waves_of(stage)

    @jax.jit
    def read(frozen, batch):
        return stage.read(frozen, batch), stage.encoders.local(frozen, batch["mixture"])

    features, s = read(frozen, batch)
    assert features.mixture.g is None and features.target.g is None
    raw, mask, *_ = features.condition
    assert raw.shape == (BATCH, 16, stage.encoders.text_encoder.width) and mask.shape == (BATCH, 16)
    np.testing.assert_array_equal(mask.sum(1), 3 + np.arange(BATCH))  # no [CLS]
    np.testing.assert_allclose(features.mixture.s, s, atol=1e-5)


def test_it_needs_no_q_audio():
    assert "global" not in params_of(NAME)["model"]
    assert set(stage_of(NAME).upstream) == {"audio_mae", "text_encoder"}


def test_the_text_is_as_wide_as_the_text_encoder(tmp_path):
    stage = make_stage(NAME, batch_size=BATCH, text_cache=str(tmp_path))
    tokens, width = stage.data.max_text_tokens, stage.encoders.text_encoder.width
    assert stage.batch_spec()["text_features"].shape == (BATCH, tokens, width)


def test_eval_metrics_are_per_example_and_deterministic():
    assert_evaluates(NAME, "local")


def test_panels_are_patch_maps():
    assert_patch_maps(NAME, "cosine", "cosine_mixture")
