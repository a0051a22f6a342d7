"""Mel discriminator: size, shapes, weight normalisation, the mel image."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.tf_codec.discriminator import DiscriminatorConfig, WeightNormConv, mel_image
from hsmtss_jax.testing.jitted import Jitted

TINY = DiscriminatorConfig(hops=(32, 64), hidden=(32, 64))


def test_paper_size():
    model = DiscriminatorConfig().make()
    audio = jax.ShapeDtypeStruct((1, 48_000), jnp.float32)
    params = jax.eval_shape(lambda k, x: model.init(k, x), jax.random.key(0), audio)["params"]
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == 5_256_372


def test_scores_and_features_of_each_branch():
    model = TINY.make()
    audio = jnp.zeros((2, 2_048))
    shapes = jax.eval_shape(lambda x: model.init_with_output(jax.random.key(0), x)[0], audio)
    # 65 frames x 65 bands, halved three times
    assert shapes.scores[0].shape == (2, 9, 9)
    assert [f.shape[-1] for f in shapes.features[1]] == [2, 4, 8, 16, 32, 64]


def test_features_are_taken_after_the_activation():
    model = Jitted(DiscriminatorConfig(hops=(32,), hidden=(32,)).make())
    audio = jax.random.normal(jax.random.key(0), (1, 1_024))
    variables = model.init(jax.random.key(1), audio)
    out, captured = model.apply(variables, audio, capture_intermediates=True)
    leaves = jax.tree_util.tree_leaves_with_path(captured["intermediates"])
    for i, feature in enumerate(out.features[0]):
        before = [leaf for path, leaf in leaves if f"'conv{i}'" in jax.tree_util.keystr(path)]
        assert len(before) == 1 and before[0].min() < 0
        np.testing.assert_allclose(feature, jax.nn.leaky_relu(before[0], 0.2), rtol=1e-6)


def test_kernel_does_not_depend_on_the_length_of_its_direction():
    layer = Jitted(WeightNormConv(4, 1))
    x = jax.random.normal(jax.random.key(0), (1, 6, 6, 3))
    params = layer.init(jax.random.key(1), x)["params"]
    longer = {**params, "direction": 3.0 * params["direction"]}
    np.testing.assert_allclose(
        layer.apply({"params": params}, x), layer.apply({"params": longer}, x), atol=1e-5
    )
    np.testing.assert_allclose(
        params["gain"], jnp.sqrt(jnp.sum(params["direction"] ** 2, axis=(0, 1, 2))), rtol=1e-6
    )


def test_mel_image_level_is_in_zero_one():
    audio = jax.random.normal(jax.random.key(0), (1, 1_024))
    image = mel_image(audio, 32, 16_000)
    assert image.shape == (1, 33, 65, 2)
    assert float(image[..., 1].min()) >= 0.0 and float(image[..., 1].max()) <= 1.0
    silence = mel_image(jnp.zeros((1, 1_024)), 32, 16_000)
    assert bool(jnp.isfinite(silence).all())


def test_errors_say_what_to_change():
    with pytest.raises(ValueError, match="hidden widths"):
        DiscriminatorConfig(hops=(32, 64), hidden=(32,)).make()
    with pytest.raises(ValueError, match="at least 32"):
        DiscriminatorConfig(hops=(32,), hidden=(16,)).make()
