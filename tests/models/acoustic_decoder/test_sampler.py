"""Sampling with the real decoder: greedy, neighbours, padding of the batch, forced frames, lengths."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.acoustic_decoder import sampler as acoustic_sampling
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


@pytest.mark.parametrize("condition", ("prefix", "aligned", "columns", "cross"))
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


def test_lengths_blank_the_frames_behind_them():
    config, params, patches = setup()
    full = draw(config, params, patches, [7, 8, 9, 10])
    short = draw(config, params, patches, [7, 8, 9, 10], lengths=jnp.array([9, 5, 1, 0]))
    for row, length in enumerate([9, 5, 1, 0]):
        assert np.array_equal(short[row, :length], full[row, :length])
        assert not short[row, length:].any()


def test_prepared_weights_give_the_same_tokens():
    config, params, patches = setup()
    prepared = prepare_decode(config, params)
    seeds = [7, 8, 9, 10]
    assert np.array_equal(
        draw(config, params, patches, seeds), draw(config, prepared, patches, seeds)
    )


@functools.cache
def token_sampler() -> TokenSampler:
    config, params, _ = setup()
    return TokenSampler(config, params)


def test_calls_of_many_sizes_are_few_programs_with_the_same_tokens():
    config, params, patches = setup()
    sampler, seeds = token_sampler(), np.array([7, 8, 9, 10])
    assert sampler.frame_sizes == (7, 13, 19, 25)
    full = draw(config, params, patches, seeds)
    for rows in (1, 3, 4):
        for frames in (8, 9, 11):
            tokens = sampler(patches[:rows], frames, seeds[:rows], POLICY)
            assert tokens.shape == (rows, frames, 3) and tokens.dtype == np.int32
            shared = min(frames, FRAMES)
            assert np.array_equal(tokens[:, :shared], full[:rows, :shared])
    assert sampler._draw_in_place._cache_size() == 2  # 13 frames for batches of 1 and of 4


def test_more_rows_than_a_batch_go_in_turns(monkeypatch):
    config, params, patches = setup()
    monkeypatch.setattr(acoustic_sampling, "MAX_BATCH", 1)
    seeds = np.array([7, 8])
    tokens = token_sampler()(patches[:2], FRAMES, seeds, POLICY)
    assert np.array_equal(tokens, draw(config, params, patches, [7, 8, 9, 10])[:2])


def test_the_sampler_forces_frames_and_stops_at_the_longest_row():
    config, params, patches = setup()
    sampler, seeds = token_sampler(), np.array([7, 8, 9, 10])
    full = draw(config, params, patches, seeds)
    forced = (full[:, :4] + 1) % config.codes
    counts = np.array([4, 2, 0, 4])
    expected = draw(
        config, params, patches, seeds, forced_tokens=forced, forced_length=jnp.array(counts)
    )
    tokens = sampler(patches, FRAMES, seeds, POLICY, forced, counts, lengths=np.array([9, 9, 9, 8]))
    assert np.array_equal(tokens[:3], expected[:3])
    assert np.array_equal(tokens[3, :8], expected[3, :8]) and not tokens[3, 8].any()
    short = sampler(patches, FRAMES, seeds, POLICY, lengths=np.array([5, 1, 0, 3]))
    assert short.shape == (4, FRAMES, 3) and not short[:, 5:].any()
    assert np.array_equal(short[0, :5], full[0, :5])


def test_segments_read_less_of_the_cache_and_draw_the_same(monkeypatch):
    config, params, patches = setup()
    seeds = np.array([7, 8, 9, 10])
    full = draw(config, params, patches, seeds)
    monkeypatch.setattr(acoustic_sampling, "SEGMENT_FRAMES", 4)
    assert (segments(4, FRAMES), segments(1, FRAMES), segments(4, 3)) == (2, 1, 1)
    sampler = TokenSampler(config, params)
    assert np.array_equal(sampler(patches, FRAMES, seeds, POLICY), full)
    assert np.array_equal(sampler(patches[:1], FRAMES, seeds[:1], POLICY), full[:1])


def test_hidden_patches_do_not_count():
    config, _, patches = setup()
    mask = np.arange(config.patches)[None, :] < np.array([[4], [4], [4], [4]])
    broken = np.where(mask[:, :, None], patches, np.nan)
    seeds = np.array([7, 8, 9, 10])
    tokens = token_sampler()(broken, FRAMES, seeds, POLICY, prefix_mask=mask)
    again = token_sampler()(patches, FRAMES, seeds, POLICY, prefix_mask=mask)
    assert np.array_equal(tokens, again)
    assert not np.array_equal(tokens, token_sampler()(patches, FRAMES, seeds, POLICY))


def test_a_call_that_cannot_be_is_refused():
    _, _, patches = setup()
    seeds = np.array([7, 8, 9, 10])
    with pytest.raises(ValueError, match="no row"):
        token_sampler()(patches[:0], FRAMES, seeds[:0], POLICY)
    with pytest.raises(ValueError, match="26 does not fit: the largest size is 25"):
        token_sampler()(patches, 26, seeds, POLICY)
    with pytest.raises(ValueError, match="10 forced frames do not fit in 9"):
        token_sampler()(patches, FRAMES, seeds, POLICY, np.zeros((4, 10, 3), np.int32))
