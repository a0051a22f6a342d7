"""Separators for the tests of everything around the networks."""

import pytest

from hsmtss_jax.inference import Separator
from hsmtss_jax.testing.fake_runtime import FakeSystem


@pytest.fixture
def separator() -> Separator:
    """Without networks, four sounds at once: the buckets of rows are 1 and 4."""
    return Separator(FakeSystem(), batch=4)
