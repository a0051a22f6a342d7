"""The generation loop on a toy model: counters instead of a network."""

import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.sampling import GREEDY, Policy, generate, row_keys

CODES = 7


def counting(tokens, calls):
    """Prefers the previous token plus one, and the end token (id CODES) even more."""
    logits = -jnp.abs(jnp.arange(CODES + 1)[None, None, :] - tokens[..., None] - 1.0)
    return logits.at[..., CODES].set(9.0), calls + 1


def uniform(tokens, calls):
    return jnp.zeros((*tokens.shape, CODES + 1)), calls


def run(step, frames, *, seeds=(0, 1), policy=GREEDY, **options):
    first = jnp.zeros((len(seeds), 2), jnp.int32)
    keys = row_keys(jnp.array(seeds, jnp.uint32))
    drawn = generate(step, 0, first, frames, keys, policy, codes=CODES, **options)
    assert drawn.cache == (frames if step is counting else 0)
    return np.asarray(drawn.tokens)


def test_each_frame_is_fed_back_and_the_end_is_never_drawn():
    tokens = run(counting, 9)
    assert tokens.shape == (2, 9, 2) and tokens.dtype == np.int32
    assert tokens[0, :, 0].tolist() == [1, 2, 3, 4, 5, 6, 6, 6, 6]


def test_forced_frames_are_returned_and_fed():
    forced = jnp.full((2, 3, 2), 3, jnp.int32)
    tokens = run(counting, 5, forced=forced, forced_length=jnp.array([3, 1]))
    assert tokens[0, :, 0].tolist() == [3, 3, 3, 4, 5]
    assert tokens[1, :, 0].tolist() == [3, 4, 5, 6, 6]
    assert run(counting, 5, forced=forced)[1, :, 0].tolist() == [3, 3, 3, 4, 5]


def test_a_row_depends_on_its_own_seed_only():
    policy = Policy(temperature=1.0, top_k=0)
    pair = run(uniform, 20, seeds=(5, 6), policy=policy)
    three = run(uniform, 20, seeds=(9, 5, 6), policy=policy)
    assert np.array_equal(pair, three[1:])
    assert not np.array_equal(pair[0], pair[1])
    assert len(np.unique(pair)) == CODES


def test_more_forced_than_generated_is_refused():
    with pytest.raises(ValueError, match="6 forced frames do not fit in 5"):
        run(counting, 5, forced=jnp.zeros((2, 6, 2), jnp.int32))
