import numpy as np
import pytest

from hsmtss_jax.nn.patches import patchify, unpatchify


def test_unpatchify_inverts_patchify():
    x = np.random.default_rng(0).normal(size=(2, 64, 32)).astype(np.float32)
    patches = patchify(x, 16)
    assert patches.shape == (2, 8, 256)
    np.testing.assert_array_equal(unpatchify(patches, 16, 2), x)


def test_order_is_time_major_with_frequency_fastest():
    x = np.arange(32 * 32, dtype=np.float32).reshape(1, 32, 32)
    patches = np.asarray(patchify(x, 16))
    np.testing.assert_array_equal(patches[0, 1].reshape(16, 16), x[0, :16, 16:])
    np.testing.assert_array_equal(patches[0, 2].reshape(16, 16), x[0, 16:, :16])


def test_ragged_map_is_an_error():
    with pytest.raises(ValueError, match="30 x 32"):
        patchify(np.zeros((1, 30, 32), np.float32), 16)
