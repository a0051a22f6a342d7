"""One frame at a time is the same network as all frames at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.acoustic_decoder.step import decode_step, prefill, widen
from hsmtss_jax.models.acoustic_decoder.weights import prepare_decode
from tests.models.acoustic_decoder.tiny import CONDITIONS, FRAMES, setup, stepwise


@pytest.mark.parametrize("condition", CONDITIONS)
def test_steps_equal_the_full_forward(condition):
    config, params, patches, tokens, forward = setup(condition)
    full = forward(patches, tokens)
    assert full.std() > 0.1
    everything = jnp.ones((2, config.patches), bool)
    steps = stepwise(config, params, patches, tokens, everything)
    np.testing.assert_allclose(steps, full, atol=1e-4)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_hidden_patches_are_not_seen_whatever_they_hold(condition):
    config, params, patches, tokens, forward = setup(condition)
    mask = jnp.arange(config.patches)[None, :] < jnp.array([[2], [6]])
    broken = jnp.where(mask[:, :, None], patches, jnp.nan)
    full = forward(patches, tokens, mask)
    np.testing.assert_allclose(stepwise(config, params, broken, tokens, mask), full, atol=1e-4)


def test_a_cache_is_widened_on_the_way():
    """Room for two frames, then for all: the same logits as with all the room from the start."""
    config, params, patches, tokens, _ = setup("prefix")
    weights = prepare_decode(config, params)
    step = jax.jit(lambda previous, cache: decode_step(config, weights, previous, cache))
    narrow, wide = (prefill(config, weights, patches, FRAMES, room=room) for room in (2, FRAMES))
    assert narrow.values[0].shape[1] == config.patches + 2
    for t in range(4):
        if t == 2:
            narrow = widen(config, narrow, FRAMES)
            assert narrow.values[0].shape == wide.values[0].shape
            assert widen(config, narrow, 3) is narrow, "what is wide enough stays"
        logits, narrow = step(tokens[:, t], narrow)
        expected, wide = step(tokens[:, t], wide)
        np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert int(narrow.frame) == 4
