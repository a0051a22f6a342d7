"""The level that compiled programs bring sounds to."""

import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.audio.constants import WORKING_LEVEL
from hsmtss_jax.audio.working_level import FRAME, working_gain


def test_active_parts_come_to_the_working_level():
    rng = np.random.default_rng(0)
    sound = rng.normal(size=(3, 40 * FRAME)).astype(np.float32)
    sound[:, 10 * FRAME :] *= 1e-3  # 60 dB below: not active
    sound *= np.array([1e-3, 0.1, 5.0], np.float32)[:, None]
    gain = np.asarray(working_gain(jnp.asarray(sound)))
    heard = gain[:, None] * sound[:, : 10 * FRAME]
    np.testing.assert_allclose(np.sqrt(np.mean(heard**2, axis=1)), WORKING_LEVEL, rtol=1e-4)


def test_an_example_does_not_depend_on_its_neighbours():
    rng = np.random.default_rng(1)
    sound = rng.normal(size=(2, 8 * FRAME)).astype(np.float32)
    both = working_gain(jnp.asarray(sound))
    assert float(both[1]) == pytest.approx(float(working_gain(jnp.asarray(sound[1:]))[0]), rel=1e-6)


def test_silence_is_left_alone():
    assert float(working_gain(jnp.zeros((1, 4 * FRAME)))[0]) == 1.0
