"""The acoustic decoder: size, positions, causality, hidden patches."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.acoustic_decoder.model import (
    AcousticDecoderConfig,
    frame_columns,
    frame_positions,
    patch_mask,
    patch_positions,
    prefix_lm_mask,
)
from tests.models.acoustic_decoder.tiny import CONDITIONS, FRAMES, TINY, setup


def count(tree) -> int:
    return sum(int(np.prod(x.shape)) for x in jax.tree.leaves(tree))


def abstract_params(config: AcousticDecoderConfig, frames: int):
    patches = jax.ShapeDtypeStruct((1, config.patches, config.audio_width), jnp.float32)
    tokens = jax.ShapeDtypeStruct((1, frames, config.groups), jnp.int32)
    module = config.make()
    logits, variables = jax.eval_shape(module.init_with_output, jax.random.key(0), patches, tokens)
    return logits, variables["params"]


def test_paper_size_has_the_published_number_of_parameters():
    config = AcousticDecoderConfig()
    logits, params = abstract_params(config, 501)
    assert logits.shape == (1, 502, 16, 1025) and logits.dtype == jnp.float32
    bands = count(params["conditioner"]["band_embedding"])
    assert bands == 8 * 1024
    assert count(params) == 185_547_792 + bands
    assert count(params["embedding"]) == 16 * 1025 * 1024
    assert config.max_frames == 513


def test_cross_attention_adds_fifty_million_parameters():
    _, prefix = abstract_params(AcousticDecoderConfig(), 2)
    _, cross = abstract_params(AcousticDecoderConfig(condition="cross"), 2)
    assert count(cross) - count(prefix) == 12 * (4 * 1024**2 + 6 * 1024)


def test_positions_share_the_unit_of_a_token_frame():
    codes = patch_positions(dataclasses.replace(TINY, width=64))
    frames = frame_positions(dataclasses.replace(TINY, width=64), 24)
    assert codes.shape == (6, 64) and np.array_equal(codes[0], codes[1])
    similarity = codes[2] @ frames.T  # column 1: centre at frame 11.5
    assert {int(i) for i in np.argsort(similarity)[-2:]} == {11, 12}
    assert frame_columns(TINY, 26).tolist() == [0] * 8 + [1] * 8 + [2] * 10


def test_mask_is_bidirectional_on_the_prefix_and_causal_behind_it():
    mask = prefix_lm_mask(2, 3)
    assert mask[:2].tolist() == [[True, True, False, False, False]] * 2
    assert mask[2:, :2].all()
    assert np.array_equal(mask[2:, 2:], np.tril(np.ones((3, 3), bool)))


def test_unknown_condition_is_named():
    with pytest.raises(ValueError, match="prefix, aligned, columns or cross"):
        AcousticDecoderConfig(condition="film")


def test_wrong_patches_are_refused():
    with pytest.raises(ValueError, match="takes 6 patches of width 20"):
        TINY.make().init(jax.random.key(0), jnp.zeros((1, 5, 20)), jnp.zeros((1, 2, 3), jnp.int32))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_masked_patches_are_not_seen_whatever_they_hold(condition):
    config, _, patches, tokens, forward = setup(condition)
    mask = jnp.arange(config.patches)[None, :] < jnp.array([[2], [6]])
    loud, broken = (jnp.where(mask[:, :, None], patches, x * patches) for x in (-100.0, jnp.nan))
    full = forward(patches, tokens, mask)
    for other in (loud, broken):
        np.testing.assert_allclose(forward(other, tokens, mask), full, atol=1e-5)
    assert not np.allclose(forward(loud, tokens)[0], full[0], atol=1e-3)


def test_the_patch_mask_covers_the_frames():
    mask = patch_mask(TINY, jnp.array([0, 1, 8, 9, 26]))
    assert mask.sum(axis=1).tolist() == [0, 2, 2, 4, 6] and mask[1, :2].all()


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_frame_depends_on_the_past_and_on_the_patches_only(condition):
    config, _, patches, tokens, forward = setup(condition)
    full = np.asarray(forward(patches, tokens))
    later = tokens.at[:, 4:].set((tokens[:, 4:] + 1) % config.codes)
    changed = np.abs(np.asarray(forward(patches, later)) - full).max(axis=(0, 2, 3))
    assert (changed[:5] < 1e-5).all() and (changed[5:] > 1e-4).all()
    moved = np.abs(np.asarray(forward(patches.at[:, 0].multiply(-1.0), tokens)) - full)
    assert (moved.max(axis=(0, 2, 3)) > 1e-4).all()


def test_loss_starts_at_the_entropy_of_a_uniform_guess():
    module = dataclasses.replace(TINY, codes=64).make()
    patches, tokens = jnp.ones((2, 6, 20)), jnp.zeros((2, FRAMES, 3), jnp.int32)
    logits, _ = jax.jit(module.init_with_output)(jax.random.key(0), patches, tokens)
    nats = jax.nn.logsumexp(logits, axis=-1) - logits[..., 0]
    np.testing.assert_allclose(nats.mean(), np.log(65), atol=0.05)
