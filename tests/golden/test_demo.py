"""What a user hears: the demo bundle's sound for an example is the recorded one.

Mode mask generates nothing. In mode generate tokens are sampled: where rounding differs (another CPU, another
version of jax) one of thousands may tip over, and the rest of its window with it, so that most frames must be
equal, not all.
"""

import functools

import numpy as np
import pytest

from hsmtss_jax.inference import Separator
from hsmtss_jax.metrics import mel_psnr
from tests.golden.demo import GOLDEN, MODES, log_mel, read_example, separate_example

MEL_PSNR = {"mask": 16.44, "generate": 15.50}  # against the true target [dB]
SAME = {"mask": 0.99, "generate": 0.5}  # share of the frames
CLOSE = 0.1  # mean difference of a frame's bands [dB]; another seed gives 1 to 5


@functools.cache
def sound(mode: str, seed: int = 0) -> np.ndarray:
    return separate_example(separator(), mode, seed)


@functools.cache
def separator() -> Separator:
    return Separator.from_pretrained()


def equal_frames(audio: np.ndarray, mode: str) -> float:
    """Share of the frames that are those of the recording."""
    with np.load(GOLDEN) as golden:
        recorded = golden[mode].astype(np.float32)
    return float(np.mean(np.abs(log_mel(audio) - recorded).mean(axis=1) < CLOSE))


@pytest.mark.parametrize("mode", MODES)
def test_it_is_the_recorded_sound(mode):
    assert equal_frames(sound(mode), mode) >= SAME[mode]


@pytest.mark.parametrize("mode", MODES)
def test_it_is_as_near_to_the_target_as_recorded(mode):
    assert mel_psnr(sound(mode), read_example("_target")) == pytest.approx(MEL_PSNR[mode], abs=0.1)


def test_the_mask_has_no_seed():
    np.testing.assert_array_equal(sound("mask", seed=1), sound("mask"))


def test_the_comparison_sees_another_seed_and_another_mask():
    assert equal_frames(sound("generate", seed=1), "generate") < 0.1
    masked, mixture = sound("mask"), read_example()
    assert equal_frames(0.97 * masked + 0.03 * mixture, "mask") < 0.5


def test_it_is_nearer_to_the_target_than_the_mixture_is():
    target = read_example("_target")
    assert mel_psnr(sound("mask"), target) > mel_psnr(read_example(), target) + 4
