"""Separators for the tests of everything around the networks."""

import pytest

from hsmtss_jax.inference import Separator
from hsmtss_jax.testing.fake_runtime import FakeRuntime


@pytest.fixture
def runtime() -> FakeRuntime:
    """Without networks, four sounds at once."""
    return FakeRuntime(batch=4)


@pytest.fixture
def separator(runtime) -> Separator:
    """On the runtime without networks."""
    return Separator(runtime)
