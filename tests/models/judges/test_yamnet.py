"""YAMNet: the published size, and patches judged alone or together."""

import jax
import numpy as np

from hsmtss_jax.models.judges.yamnet import YAMNetConfig

TINY = YAMNetConfig(stem=2, blocks=((4, 1), (6, 2)), frames=16, n_mels=8, classes=5)


def test_patches_are_judged_each_by_itself():
    patches = np.random.RandomState(0).normal(size=(3, 16, 8)).astype(np.float32)
    variables = TINY.make().init(jax.random.key(0), patches)
    tag = jax.jit(TINY.make().apply)
    found = tag(variables, patches)
    assert found.logits.shape == (3, 5) and found.embedding.shape == (3, 6)
    np.testing.assert_allclose(tag(variables, patches[1:2]).logits, found.logits[1:2], atol=1e-6)


def test_the_published_size():
    config = YAMNetConfig()
    patch = jax.ShapeDtypeStruct((1, 96, 64), np.float32)
    shapes = jax.eval_shape(config.make().init, jax.random.key(0), patch)["params"]
    assert len(shapes) == 28  # 27 convolutions and the classifier
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 3_729_481
    assert shapes["classifier"]["kernel"].shape == (1024, 521)
