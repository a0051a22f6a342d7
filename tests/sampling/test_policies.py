"""Sampling policies against their definitions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.sampling import GREEDY, Policy, choose, row_keys

LOGITS = jnp.log(jnp.array([0.05, 0.5, 0.15, 0.3]))


def draw(policy: Policy, rows: int = 4000) -> np.ndarray:
    """Frequencies of the four classes."""
    logits = jnp.broadcast_to(LOGITS, (rows, 1, 4))
    tokens = jax.jit(choose, static_argnums=0)(policy, logits, row_keys(jnp.arange(rows)))
    assert tokens.shape == (rows, 1) and tokens.dtype == jnp.int32
    return np.bincount(np.asarray(tokens).ravel(), minlength=4) / rows


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (GREEDY, [0, 1, 0, 0]),
        (Policy(temperature=1.0, top_k=0), [0.05, 0.5, 0.15, 0.3]),
        (Policy(temperature=1.0, top_k=64), [0.05, 0.5, 0.15, 0.3]),
        (Policy(temperature=1.0, top_k=2), [0, 0.625, 0, 0.375]),
        (Policy(temperature=1.0, top_k=0, top_p=0.7), [0, 0.625, 0, 0.375]),
        (Policy(temperature=1.0, top_k=0, top_p=0.01), [0, 1, 0, 0]),
        (Policy(temperature=1.0, top_k=3, top_p=0.5), [0, 1, 0, 0]),
        (Policy(temperature=0.5, top_k=0), [0.00685, 0.6849, 0.0616, 0.2466]),
    ],
)
def test_frequencies(policy, expected):
    np.testing.assert_allclose(draw(policy), expected, atol=0.03)


def test_groups_of_a_row_are_independent_draws():
    logits = jnp.zeros((1, 500, 8))
    tokens = choose(Policy(temperature=1.0, top_k=0), logits, row_keys(jnp.array([3])))
    assert len(np.unique(np.asarray(tokens))) == 8


@pytest.mark.parametrize("fields", [{"temperature": -1.0}, {"top_k": -1}, {"top_p": 0.0}])
def test_impossible_policies_are_refused(fields):
    with pytest.raises(ValueError, match="temperature >= 0"):
        Policy(**fields)
