"""The mask decoder's way from a recording to its target, through ``Separator``."""

import numpy as np
import pytest

from hsmtss_jax.audio.drift import drift
from hsmtss_jax.inference import Separator
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.testing.fake_runtime import FakeRuntime

RATE = 44_100


@pytest.fixture(scope="module")
def recording():
    return 0.1 * np.random.default_rng(0).normal(size=(4 * RATE, 2)).astype(np.float32)


def separate(recording, decodes_masks=True, **options):
    separator = Separator(FakeRuntime(decodes_masks=decodes_masks))
    return separator.separate(
        recording, "extract the rain", sample_rate=RATE, options=SeparateOptions(**options)
    )


def test_a_bundle_with_a_mask_decoder_uses_it(recording):
    """The fake one's gain is 0.5 everywhere for this task."""
    result = separate(recording)
    np.testing.assert_allclose(result.target, (recording - drift(recording, RATE)) / 2, atol=1e-5)
    np.testing.assert_allclose(result.target + result.residual, recording, atol=1e-6)
    assert "mask" in result.timing and "tokens" not in result.timing


def test_a_bundle_without_one_makes_the_mask_of_generated_sound(recording):
    made = separate(recording, decodes_masks=False)
    same = separate(recording, mask_from="both")
    np.testing.assert_array_equal(made.target, same.target)
    assert "tokens" in made.timing


@pytest.mark.parametrize(
    ("decodes_masks", "options", "message"),
    [
        (False, {"mask_from": "decoder"}, "has no mask decoder"),
        (True, {"mask_from": "decoder", "mode": "generate"}, "generate knows no mask decoder"),
        (True, {"mask_from": "decoder", "mode": "blend"}, "blend knows no mask decoder"),
    ],
)
def test_a_decoder_that_cannot_be_had_is_refused(recording, decodes_masks, options, message):
    with pytest.raises(ValueError, match=message):
        separate(recording, decodes_masks, **options)
