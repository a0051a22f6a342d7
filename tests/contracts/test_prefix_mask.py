"""Inference shows the acoustic decoder the patches that training showed it, clip by clip."""

import dataclasses
import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.networks import read_networks
from hsmtss_jax.bundles.pipeline import ROLES, Pipeline
from hsmtss_jax.inference.runtime import Runtime
from hsmtss_jax.models import hsm_tss
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.testing.bundles import frozen_params, make_stage, tiny_upstream

POLICY = Policy(temperature=1.0, top_k=0)


def bundles_with(mask_padding: bool) -> dict:
    bundles = tiny_upstream(ROLES)
    old = bundles["acoustic_decoder"]
    config = {**old.config, "mask_padding": mask_padding}
    return {**bundles, "acoustic_decoder": dataclasses.replace(old, config=config)}


@functools.cache
def runtime(mask_padding: bool = True) -> Runtime:
    return Runtime(Pipeline(bundles_with(mask_padding), Policy(), {}, Path("tiny")), batch=4)


def drawn(s: np.ndarray, lengths: np.ndarray, mask_padding: bool = True) -> np.ndarray:
    """Tokens of clips of so many samples."""
    one = runtime(mask_padding)
    frames = np.array([one.token_frames(length) for length in lengths])
    return one.sample(s, np.arange(len(s)), POLICY, lengths=frames)


def clips() -> tuple[np.ndarray, np.ndarray]:
    """Random S [n, P, C], and the samples of each clip: one frame to a whole window."""
    one = runtime()
    lengths = np.array([1, 2560, 2561, one.window // 2, one.window - 1, one.window])
    decoder = one.networks.decoder
    shape = len(lengths), decoder.patches, decoder.audio_width
    return np.random.default_rng(0).normal(size=shape).astype(np.float32), lengths


def visible(lengths: np.ndarray) -> np.ndarray:
    """The patches that inference shows, bool [n, P]."""
    one = runtime()
    frames = jnp.asarray([one.token_frames(length) for length in lengths])
    return np.asarray(hsm_tss.visible_patches(one.networks, frames))


def test_the_mask_is_that_of_training():
    tiny = make_stage("acoustic_decoder")
    config = dataclasses.replace(tiny.config, mask_padding=True)
    stage = type(tiny)(config, tiny.data, tiny.upstream)
    _, lengths = clips()
    samples = runtime().window
    batch = {
        "audio": jnp.zeros((len(lengths), samples), jnp.float32),
        "length": jnp.asarray(lengths, jnp.int32),
    }
    read = jax.jit(stage.read)(frozen_params(stage), batch)
    np.testing.assert_array_equal(visible(lengths), read.prefix_mask)
    assert 0 < visible(lengths)[0].sum() < visible(lengths)[3].sum() < visible(lengths)[5].sum()


@pytest.mark.parametrize("filling", [np.nan, 100.0])
def test_what_lies_behind_a_clip_s_end_changes_no_token(filling):
    s, lengths = clips()
    broken = np.where(visible(lengths)[:, :, None], s, np.float32(filling))
    np.testing.assert_array_equal(drawn(broken, lengths), drawn(s, lengths))


def test_the_last_patch_of_a_clip_is_seen():
    s, lengths = clips()
    last = visible(lengths).sum(axis=1) - 1
    changed = s.copy()
    changed[np.arange(len(s)), last] *= -3
    before, after = drawn(s, lengths), drawn(changed, lengths)
    assert all(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_decoder_that_was_trained_on_whole_windows_sees_whole_windows():
    s, lengths = clips()
    hidden = visible(lengths)[:5]  # the last clip has nothing behind it
    changed = np.where(hidden[:, :, None], s[:5], -3 * s[:5])
    before, after = (drawn(each, lengths[:5], mask_padding=False) for each in (s[:5], changed))
    assert not np.array_equal(before[:3], after[:3])
    networks = read_networks(bundles_with(False))
    assert np.asarray(hsm_tss.visible_patches(networks, jnp.asarray([1, 2]))).all()
