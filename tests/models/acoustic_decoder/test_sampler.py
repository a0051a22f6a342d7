"""Sampling with the real decoder: greedy, neighbours, padding of the batch, forced frames, masks."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
from hsmtss_jax.models.acoustic_decoder.sampler import TokenSampler, sample, segments
from hsmtss_jax.models.acoustic_decoder.weights import prepare_decode
from hsmtss_jax.sampling import GREEDY, Policy

TINY = AcousticDecoderConfig(
    width=32, depth=2, heads=4, groups=3, codes=11, audio_width=20, time_patches=3, freq_patches=2
)
FRAMES = 9
POLICY = Policy(temperature=1.0, top_k=6)


draw_jit = jax.jit(sample, static_argnums=(0, 3, 5))


@functools.cache
def setup(condition: str = "aligned"):
    config = dataclasses.replace(TINY, condition=condition)
    patches = jax.random.normal(jax.random.key(1), (4, config.patches, config.audio_width))
    module = config.make()
    zeros = jnp.zeros((4, FRAMES, config.groups), jnp.int32)
    params = jax.jit(lambda key: jax.tree.map(lambda x: 6 * x, module.init(key, patches, zeros)))(
        jax.random.key(0)
    )["params"]
    return config, params, patches


def draw(config, params, patches, seeds, policy=POLICY, **options):
    seeds = jnp.array(seeds, jnp.uint32)
    return np.asarray(draw_jit(config, params, patches, FRAMES, seeds, policy, **options))


@pytest.mark.parametrize("condition", ["prefix", "aligned", "columns", "cross"])
def test_greedy_is_the_argmax_of_the_full_forward_iterated(condition):
    config, params, patches = setup(condition)
    forward = jax.jit(lambda tokens: config.make().apply({"params": params}, patches, tokens))
    tokens = jnp.zeros((4, FRAMES, config.groups), jnp.int32)
    for t in range(FRAMES):
        logits = forward(tokens)[:, t, :, : config.codes]
        tokens = tokens.at[:, t].set(jnp.argmax(logits, axis=-1))
    drawn = draw(config, params, patches, [0, 1, 2, 3], GREEDY)
    assert np.array_equal(drawn, tokens)
    assert len(np.unique(drawn)) > 3


def test_a_row_does_not_depend_on_its_neighbours_or_on_padding_rows():
    config, params, patches = setup()
    full = draw(config, params, patches, [7, 8, 9, 10])
    shuffled = draw(config, params, patches[::-1], [10, 9, 8, 7])
    assert np.array_equal(full, shuffled[::-1])
    alone = draw(config, params, patches[1:2], [8])
    assert np.array_equal(full[1:2], alone)
    padded = draw(config, params, jnp.pad(patches[:3], ((0, 1), (0, 0), (0, 0))), [7, 8, 9, 0])
    assert np.array_equal(full[:3], padded[:3])


def test_other_seeds_give_other_tokens():
    config, params, patches = setup()
    same = jnp.tile(patches[:1], (4, 1, 1))
    drawn = draw(config, params, same, [1, 1, 2, 3])
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2]) and not np.array_equal(drawn[2], drawn[3])
    assert drawn.min() >= 0 and drawn.max() < config.codes


def test_forced_frames_are_reproduced_and_continued_as_if_drawn():
    config, params, patches = setup()
    seeds = [7, 8, 9, 10]
    full = draw(config, params, patches, seeds)
    limit = jnp.array([4, 2, 0, 4])
    again = draw(config, params, patches, seeds, forced_tokens=full[:, :4], forced_length=limit)
    assert np.array_equal(full, again)
    other = jnp.asarray((full[:, :4] + 1) % config.codes)
    changed = draw(config, params, patches, seeds, forced_tokens=other, forced_length=limit)
    assert np.array_equal(changed[0, :4], other[0]) and np.array_equal(changed[1, :2], other[1, :2])
    assert np.array_equal(changed[2], full[2])


def test_prepared_weights_give_the_same_tokens():
    config, params, patches = setup()
    prepared = prepare_decode(config, params)
    seeds = [7, 8, 9, 10]
    assert np.array_equal(
        draw(config, params, patches, seeds), draw(config, prepared, patches, seeds)
    )


def sampled(sampler, rows, frames=FRAMES, forced=None, counts=None, visible=None):
    """Tokens of the first rows by the compiled sampler."""
    config, _, patches = setup()
    given = np.zeros((rows, frames, config.groups), np.int32)
    if forced is not None:
        given[:, : forced.shape[1]] = forced
    return np.asarray(
        sampler(
            patches[:rows],
            np.ones((rows, config.patches), bool) if visible is None else visible,
            np.array([7, 8, 9, 10][:rows], np.uint32),
            POLICY,
            given,
            np.zeros(rows, np.int32) if counts is None else counts,
        )
    )


@functools.cache
def token_sampler() -> TokenSampler:
    config, params, _ = setup()
    return TokenSampler(config, params)


@pytest.mark.parametrize(("rows", "frames"), [(1, 8), (3, FRAMES), (4, 11)])
def test_tokens_do_not_depend_on_the_shape_they_are_drawn_in(rows, frames):
    config, params, patches = setup()
    full = draw(config, params, patches, [7, 8, 9, 10])
    tokens = sampled(token_sampler(), rows, frames)
    assert tokens.shape == (rows, frames, 3) and tokens.dtype == np.int32
    shared = min(frames, FRAMES)
    assert np.array_equal(tokens[:, :shared], full[:rows, :shared])


def test_the_compiled_sampler_forces_frames():
    config, params, patches = setup()
    seeds = [7, 8, 9, 10]
    forced = (draw(config, params, patches, seeds)[:, :4] + 1) % config.codes
    counts = np.array([4, 2, 0, 4], np.int32)
    expected = draw(
        config, params, patches, seeds, forced_tokens=forced, forced_length=jnp.array(counts)
    )
    assert np.array_equal(sampled(token_sampler(), 4, forced=forced, counts=counts), expected)


def test_segments_read_less_of_the_cache_and_draw_the_same():
    config, params, patches = setup()
    full = draw(config, params, patches, [7, 8, 9, 10])
    assert (segments(4, FRAMES, 4), segments(1, FRAMES, 4), segments(4, 3, 4)) == (2, 1, 1)
    sampler = TokenSampler(config, params, segment_frames=4)
    assert np.array_equal(sampled(sampler, 4), full)
    assert np.array_equal(sampled(sampler, 1), full[:1])


def test_hidden_patches_do_not_count():
    config, params, patches = setup()
    mask = np.tile(np.arange(config.patches) < 4, (4, 1))
    broken = jnp.where(mask[:, :, None], patches, jnp.nan)
    seeds = [7, 8, 9, 10]
    hidden = draw(config, params, patches, seeds, prefix_mask=mask)
    assert np.array_equal(draw(config, params, broken, seeds, prefix_mask=mask), hidden)
    assert np.array_equal(sampled(token_sampler(), 4, visible=mask), hidden)
    assert not np.array_equal(draw(config, params, patches, seeds), hidden)
