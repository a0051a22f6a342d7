"""What is before and behind a sound is silent in the target and itself in the rest, of any length."""

import numpy as np
import pytest

from hsmtss_jax.inference import SeparateOptions

RATE = 16_000
SOUND = (0.1 * np.random.default_rng(0).normal(size=(RATE, 2))).astype(np.float32)


@pytest.mark.parametrize("mode", ["mask", "generate", "blend"])
@pytest.mark.parametrize(("before", "behind"), [(70_000, 0), (0, 150_000), (5000, 3)])
def test_silence_shifts_what_is_made_of_a_sound(mode, before, behind, separator):
    options = SeparateOptions(mode=mode)
    padded = np.pad(SOUND, ((before, behind), (0, 0))) + np.float32(0.25)
    alone, found = (
        separator.separate(each, "extract the dog", sample_rate=RATE, options=options)
        for each in (SOUND + np.float32(0.25), padded)
    )
    sounds = slice(before, before + RATE)
    assert found.samples == len(found.target) == len(padded) and found.windows == alone.windows
    np.testing.assert_allclose(found.target[sounds], alone.target, atol=1e-5)
    np.testing.assert_allclose(found.residual[sounds], alone.residual, atol=1e-5)
    assert not found.target[:before].any() and not found.target[before + RATE :].any()
    if mode != "generate":
        np.testing.assert_allclose(found.target + found.residual, padded, atol=1e-6)


def test_windows_that_are_left_out_are_told_as_done(separator):
    steps = []
    padded = np.pad(SOUND, ((200_000, 100_000), (0, 0)))
    separator.separate(
        padded, "extract the dog", sample_rate=RATE, progress=lambda *x: steps.append(x)
    )
    done, total = steps[-1]
    assert len(steps) == 1 and done == total > 1
