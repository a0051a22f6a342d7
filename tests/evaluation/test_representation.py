import numpy as np

from hsmtss_jax.evaluation.representation import Representation, random_weights
from hsmtss_jax.testing.bundles import tiny_upstream


def test_the_representation_pools_what_sounds():
    """Sound after the clip's end does not reach the pooled mel; S counts only the real columns."""
    bundles = tiny_upstream(["audio_mae"])
    representation = Representation(bundles)
    rng = np.random.default_rng(0)
    audio = rng.normal(size=(2, representation.window)).astype(np.float32)
    samples = np.array([400, representation.window], np.int32)
    mel, frames = representation.mel_sums(audio, samples)
    assert frames[0] == 1 and mel.shape == (2, 128)
    sums, columns = representation.scene_sums(audio, samples)
    config = representation.encoders.audio_mae
    assert columns[0] == 1 and columns[1] == config.time_patches
    s = np.asarray(representation.encoders.local({"audio_mae": bundles["audio_mae"].params}, audio))
    s = s.reshape(2, config.time_patches, -1)
    np.testing.assert_allclose(sums[0], s[0, 0], atol=1e-4)
    np.testing.assert_allclose(sums[1], s[1].sum(axis=0), atol=1e-3)


def test_random_weights_are_of_the_same_shapes():
    bundle = tiny_upstream(["audio_mae"])["audio_mae"]
    a, b = random_weights(bundle), random_weights(bundle, seed=1)
    kernel = bundle.params["encoder"]["patch_embed"]["kernel"]
    assert set(a.params) == {"encoder"} and a.digest != bundle.digest
    assert a.params["encoder"]["patch_embed"]["kernel"].shape == kernel.shape
    assert not np.array_equal(
        a.params["encoder"]["patch_embed"]["kernel"], b.params["encoder"]["patch_embed"]["kernel"]
    )
