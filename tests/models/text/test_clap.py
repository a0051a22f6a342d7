"""CLAP's text tower: sizes, unit length, padding."""

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.models.text import encoder as text_encoder
from hsmtss_jax.models.text.clap import ClapTextConfig, roberta_base
from tests.models.separator_inputs import count

TINY = ClapTextConfig(encoder=text_encoder.tiny(), embedding=6)


def test_sizes_of_the_public_tower():
    ids, mask = jax.ShapeDtypeStruct((1, 4), jnp.int32), jax.ShapeDtypeStruct((1, 4), jnp.bool_)

    def size(config):
        return count(jax.eval_shape(config.make().init, jax.random.key(0), ids, mask))

    assert size(roberta_base()) == 124_053_504
    projections = 768 * 768 + 768 + 768 * 512 + 512 + 512 * 512 + 512
    assert size(ClapTextConfig()) == 124_053_504 + projections


def test_queries_are_unit_vectors_and_padding_is_invisible():
    ids = jax.random.randint(jax.random.key(1), (2, 7), 1, 64)
    mask = jnp.arange(7)[None] < jnp.array([[7], [3]])
    module = TINY.make()
    variables = jax.jit(module.init)(jax.random.key(0), ids, mask)
    out = jax.jit(module.apply)(variables, ids, mask)
    assert out.shape == (2, 6) and out.dtype == jnp.float32
    np.testing.assert_allclose(jnp.linalg.norm(out, axis=1), 1.0, atol=1e-6)
    other = jax.jit(module.apply)(variables, jnp.where(mask, ids, 9), mask)
    np.testing.assert_allclose(other, out, atol=1e-6)
    assert np.abs(out[0] - out[1]).max() > 1e-3
