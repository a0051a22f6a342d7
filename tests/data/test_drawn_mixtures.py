"""Drawn mixtures are those of the data set, with their metadata."""

import numpy as np

from hsmtss_jax.config import Shard
from hsmtss_jax.data.drawn_mixtures import mixture_examples, mixtures_of, recording_groups
from hsmtss_jax.data.pipeline import mixture_dataset

L = 8000


def test_examples_are_those_of_the_data_set(config, tokenizer):
    batch = next(
        iter(mixture_dataset(config, "validation", Shard(), 5, samples=L, tokenizer=tokenizer))
    )
    for i, example in enumerate(mixture_examples(config, "validation", 5, 4, samples=L)):
        np.testing.assert_array_equal(batch["mixture"][i], example.mixture)
        np.testing.assert_array_equal(batch["target"][i], example.target)
        assert batch["task"][i] == example.recipe.task
        ids, _ = tokenizer([example.recipe.text], 6)
        np.testing.assert_array_equal(batch["text_ids"][i], ids[0])


def test_mixtures_of_some_targets(config):
    first, second = mixtures_of(config, "test", 5, [3, 6], samples=L)
    (again,) = mixtures_of(config, "test", 5, [6], samples=L)
    np.testing.assert_array_equal(second.mixture, again.mixture)
    assert first.recipe.target != second.recipe.target


def test_groups_name_recordings(config):
    groups = recording_groups(config.root, "test")
    assert len(groups) == 8 and groups["bell/test-0"] == "bell-test-0"
