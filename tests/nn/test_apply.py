"""Applying a module with a checked type of its output."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.nn.apply import apply


class Dropped(nn.Module):
    @nn.compact
    def __call__(self, x, *, train=False):
        return nn.Dropout(0.5, deterministic=not train)(x)

    def pair(self, x):
        return x, x


def test_the_output_is_the_module_s():
    x = jnp.arange(4.0)
    np.testing.assert_array_equal(apply(Dropped(), {}, x, out=jax.Array), x)
    assert len(apply(Dropped(), {}, x, out=tuple, method="pair")) == 2
    traced = jax.jit(lambda x: apply(Dropped(), {}, x, out=jax.Array))(x)
    np.testing.assert_array_equal(traced, x)


def test_the_key_is_that_of_dropout():
    x = jnp.ones(64)
    dropped = apply(Dropped(), {}, x, out=jax.Array, dropout_key=jax.random.key(0), train=True)
    assert set(np.unique(dropped)) == {0.0, 2.0}


def test_another_type_is_an_error():
    with pytest.raises(TypeError, match=r"Dropped returned tuple, not .*Array"):
        apply(Dropped(), {}, jnp.ones(2), out=jax.Array, method="pair")
