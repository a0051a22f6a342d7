"""Cnn14: what is behind a sound's end does not count; the published size."""

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.models.judges.cnn14 import Cnn14Config

TINY = Cnn14Config(channels=(3, 4, 5), n_mels=8, width=6, classes=7)


def init(config, frames):
    inputs = jnp.zeros((1, frames, config.n_mels)), jnp.full(1, frames)
    return config.make().init(jax.random.key(0), *inputs)


def test_padding_is_invisible():
    variables, tag = init(TINY, 8), jax.jit(TINY.make().apply)
    sound = np.random.RandomState(0).normal(size=(2, 21, 8)).astype(np.float32)
    alone = tag(variables, sound, np.array([21, 21]))
    padded = np.full((2, 32, 8), np.nan, np.float32)
    padded[:, :21] = sound
    among = tag(variables, padded, np.array([21, 21]))
    assert alone.logits.shape == (2, 7) and alone.embedding.shape == (2, 6)
    np.testing.assert_allclose(alone.logits, among.logits, atol=1e-6)


def test_the_published_size():
    config = Cnn14Config()
    shapes = jax.eval_shape(lambda: init(config, config.shortest))["params"]
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 80_753_615
