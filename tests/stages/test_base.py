"""What the stages share: the frozen chain on a batch of mixtures, its shapes and its data."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.config import Shard
from hsmtss_jax.stages.base import MixtureFeatures, compare, local_features
from hsmtss_jax.testing.bundles import frozen_params, make_stage
from hsmtss_jax.testing.corpus import write_tiny_corpus
from hsmtss_jax.train.stage import Stage
from tests.stages.separators import BATCH, waves_of


@functools.cache
def reader() -> tuple[Stage, Any]:
    """A stage and its compiled ``read``."""
    stage = make_stage("global_separator", batch_size=BATCH)
    return stage, jax.jit(stage.read)


@functools.cache
def features_of_batch() -> MixtureFeatures:
    stage, read = reader()
    return read(frozen_params(stage), waves_of(stage))


def test_features_of_a_batch():
    features = features_of_batch()
    assert features.mixture.s.shape == features.target.s.shape == (BATCH, 128, 64)
    assert features.mixture.g.shape == features.target.g.shape == (BATCH, 1, 64)
    t_cap, t_cap_mask, t_task, t_task_mask = features.condition
    assert t_cap.shape == (BATCH, 17, 64) and t_cap_mask.shape == (BATCH, 17)
    np.testing.assert_array_equal(t_cap_mask.sum(1), 4 + np.arange(BATCH))  # [CLS] and the tokens
    assert t_task.shape[::2] == (BATCH, 16) and t_task.shape[:2] == t_task_mask.shape
    assert np.abs(t_task[0] - t_task[1]).max() > 0.1  # extract, remove
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(features))


def test_what_stands_in_padded_places_of_the_text_reaches_no_feature():
    stage, read = reader()
    batch = waves_of(stage)
    ids = jnp.where(batch["text_mask"], batch["text_ids"], 7)
    features = read(frozen_params(stage), {**batch, "text_ids": ids})
    t_cap, mask = (np.asarray(x) for x in features.condition[:2])
    np.testing.assert_allclose(t_cap[mask], features_of_batch().condition[0][mask], atol=1e-5)


def test_a_mixture_that_is_its_target_needs_no_separation():
    stage, read = reader()
    batch = waves_of(stage)
    features = read(frozen_params(stage), {**batch, "target": batch["mixture"]})
    for name in ("g", "s"):
        mixture, target = getattr(features.mixture, name), getattr(features.target, name)
        values = compare(name, target, mixture, target)
        np.testing.assert_allclose(values[f"{name}/cos_mixture"], np.ones(BATCH), atol=1e-4)
        np.testing.assert_allclose(values[f"{name}/l1_mixture"], np.zeros(BATCH), atol=1e-4)


def test_blank_is_zeros_in_the_shapes_of_read():
    stage, _ = reader()
    blank, features = stage.blank(frozen_params(stage), waves_of(stage)), features_of_batch()
    assert jax.tree.map(jnp.shape, blank) == jax.tree.map(jnp.shape, features)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(blank))


def test_features_from_disk_are_not_computed_again():
    stage, _ = reader()
    stored = {
        name: jnp.full((1, 2, 3), i, jnp.float16) for i, name in enumerate(("mixture", "target"))
    }
    mixture, target = local_features(
        stage.encoders, {}, {f"s_{name}": value for name, value in stored.items()}
    )
    assert mixture.dtype == target.dtype == jnp.float32
    assert not np.any(mixture) and np.all(target == 1.0)


def test_the_batch_holds_text_features_where_they_are_cached(tmp_path):
    stage = make_stage("global_separator", batch_size=BATCH, text_cache=str(tmp_path))
    tokens = stage.data.max_text_tokens
    assert stage.batch_spec()["text_features"].shape == (BATCH, tokens + 1, 64)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_data_set_gives_what_the_batch_spec_says(tmp_path, split):
    stage = make_stage("global_separator", batch_size=BATCH, root=str(write_tiny_corpus(tmp_path)))
    batch = next(iter(stage.dataset(split, Shard(), 0)))
    assert {name: (x.shape, x.dtype) for name, x in batch.items()} == {
        name: (x.shape, x.dtype) for name, x in stage.batch_spec().items()
    }
