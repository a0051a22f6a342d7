import numpy as np

from hsmtss_jax.losses.masked_patch import masked_patch_loss, normalise_patches


def test_only_masked_patches_count():
    target = np.zeros((1, 4, 3), np.float32)
    prediction = np.zeros((1, 4, 3), np.float32)
    prediction[0, 0], prediction[0, 1] = 2.0, 100.0
    mask = np.array([[1.0, 0.0, 1.0, 0.0]], np.float32)
    np.testing.assert_allclose(masked_patch_loss(prediction, target, mask), [2.0])


def test_norm_pix_ignores_level_and_scale_of_the_target():
    rng = np.random.default_rng(0)
    target = rng.normal(size=(2, 4, 256)).astype(np.float32)
    prediction = rng.normal(size=(2, 4, 256)).astype(np.float32)
    mask = np.ones((2, 4), np.float32)
    a = masked_patch_loss(prediction, target, mask, norm_pix=True)
    b = masked_patch_loss(prediction, 3.0 * target + 5.0, mask, norm_pix=True)
    np.testing.assert_allclose(a, b, rtol=1e-4)
    np.testing.assert_allclose(np.std(normalise_patches(target), axis=-1, ddof=1), 1.0, rtol=1e-3)


def test_nothing_masked_is_zero():
    x = np.ones((1, 2, 3), np.float32)
    np.testing.assert_allclose(masked_patch_loss(x, 0 * x, np.zeros((1, 2), np.float32)), [0.0])
