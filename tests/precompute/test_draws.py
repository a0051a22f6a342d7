"""Mixtures are drawn by split and number, the same in every process."""

import pickle

import numpy as np
import pytest

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.drawn_mixtures import mixture_examples
from hsmtss_jax.precompute.draws import Draws
from hsmtss_jax.testing.corpus import write_tiny_corpus

COUNTS = {"train": 5, "validation": 2, "test": 0}


@pytest.fixture(scope="module")
def draws(tmp_path_factory) -> Draws:
    root = write_tiny_corpus(tmp_path_factory.mktemp("clips"))
    return Draws(DataConfig(root=str(root)), COUNTS, 8000, 3)


def test_they_are_those_of_training(draws):
    drawn = list(mixture_examples(draws.config, "train", 3, 5, samples=8000))
    again = pickle.loads(pickle.dumps(draws))
    assert len(list(draws.items())) == 7
    for (split, item), example in zip(draws.items(), drawn, strict=False):
        assert split == "train"
        np.testing.assert_array_equal(again.example(*item).mixture, example.mixture)


def test_other_clips_or_counts_are_told(draws):
    fewer = Draws(draws.config, {"train": 4}, 8000, 3)
    assert fewer.describe()["clips"] != draws.describe()["clips"]
    assert pickle.loads(pickle.dumps(draws)).describe() == draws.describe()
