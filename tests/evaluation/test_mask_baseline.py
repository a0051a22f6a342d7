import numpy as np
import pytest

from hsmtss_jax.evaluation.mask_baseline import MaskBaseline
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.testing.bundles import tiny_upstream


@pytest.mark.parametrize("samples", [3_000, 4_096, 5_000])
def test_any_length_and_both_tasks(samples):
    bundles = tiny_upstream(["mask_separator", "text_encoder"])
    baseline = MaskBaseline(*bundles.values(), max_text=16, window=4_096)
    mixture = 0.1 * np.random.default_rng(0).normal(size=(2, samples)).astype(np.float32)
    asked = [Instruction("extract", "a bell"), Instruction("remove", "a bell")]
    out = baseline.separate(mixture[[0, 0]], asked)
    assert out.shape == (2, samples) and out.dtype == np.float32
    np.testing.assert_allclose(out[0] + out[1], mixture[0], atol=1e-6)
