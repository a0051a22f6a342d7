"""A tiny random system and a tiny corpus, for what is measured on mixtures."""

import pytest

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.drawn_mixtures import mixture_examples
from hsmtss_jax.inference.runtime import Runtime
from hsmtss_jax.testing.bundles import random_pipeline
from hsmtss_jax.testing.corpus import write_tiny_corpus


@pytest.fixture(scope="session")
def mixtures(tmp_path_factory):
    """The data config of the tiny corpus, with plain mixtures."""
    root = write_tiny_corpus(tmp_path_factory.mktemp("corpus"))
    return DataConfig(root=str(root), augment=False)


@pytest.fixture(scope="session")
def runtime():
    return Runtime(random_pipeline("tiny"))


@pytest.fixture(scope="session")
def examples(mixtures, runtime):
    """Three mixtures of the test split, at least one shorter than the window."""
    found = list(mixture_examples(mixtures, "test", 0, 3, samples=runtime.window))
    assert min(example.length for example in found) < runtime.window
    return found
