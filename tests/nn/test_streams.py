"""Token streams."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.nn.streams import Stream, all_valid, key_mask


def test_segment_and_position_codes_are_added():
    x = jnp.zeros((2, 3, 5))
    stream = Stream(8, positions=4)
    params = stream.init(jax.random.key(0), x)["params"]
    out = stream.apply({"params": params}, x)
    code = params["segment_embedding"] + params["position_embedding"][:3]
    np.testing.assert_allclose(out, np.broadcast_to(code, (2, 3, 8)), atol=1e-6)


def test_padding_is_cleaned_and_too_many_tokens_are_refused():
    mask = jnp.array([[True, True, False]])
    x = jnp.where(mask[:, :, None], jax.random.normal(jax.random.key(1), (1, 3, 5)), jnp.nan)
    stream = Stream(8, positions=3)
    variables = stream.init(jax.random.key(0), x, mask)
    assert np.all(np.isfinite(stream.apply(variables, x, mask)))
    with pytest.raises(ValueError, match="4 tokens"):
        stream.apply(variables, jnp.zeros((1, 4, 5)))


def test_key_mask_follows_the_sequence():
    mask = key_mask([jnp.array([[True, False]]), all_valid(jnp.zeros((1, 2, 5)))])
    np.testing.assert_array_equal(mask, [[[[True, False, True, True]]]])
