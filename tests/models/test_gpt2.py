"""GPT-2: causality, padding, the cache against the whole sequence, sizes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.gpt2 import GPT2Config
from hsmtss_jax.testing.jitted import Jitted

CONFIG = GPT2Config(vocab=29, width=16, depth=2, heads=2, max_positions=12)
MODEL = Jitted(CONFIG.make())
IDS = np.random.default_rng(0).integers(0, 29, (2, 7))
PARAMS = MODEL.init(jax.random.key(0), IDS)["params"]


def run(inputs, *args, **kwargs):
    return MODEL.apply({"params": PARAMS}, inputs, *args, **kwargs)


def test_small_has_the_published_size():
    init = GPT2Config().make().init
    shapes = jax.eval_shape(init, jax.random.key(0), jax.ShapeDtypeStruct((1, 2), jnp.int32))
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes["params"])) == 124_439_808


def test_a_later_token_changes_nothing_before_it():
    changed = IDS.copy()
    changed[:, 4] += 1
    before, after = run(IDS).logits, run(changed % 29).logits
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-3


def test_padding_does_not_matter():
    embeddings = run(IDS, method="embed")
    mask = np.arange(7)[None, :] < np.array([[7], [4]])
    short = run(embeddings[1:, :4], method="logits")
    noisy = embeddings.at[1, 4:].set(1e3)
    np.testing.assert_allclose(run(noisy, mask, method="logits")[1, :4], short[0], atol=1e-5)


def test_ids_embeddings_and_hidden_agree():
    embeddings = run(IDS, method="embed")
    whole = run(IDS).logits
    np.testing.assert_allclose(run(embeddings).logits, whole, atol=1e-6)
    np.testing.assert_allclose(run(embeddings, method="logits"), whole, atol=1e-6)
    hidden = run(embeddings, method="hidden")
    np.testing.assert_allclose(hidden @ PARAMS["embedding"]["embedding"].T, whole, atol=1e-5)


def test_steps_with_a_cache_equal_the_whole_sequence():
    whole = run(IDS).logits
    out = run(IDS[:, :3], None, CONFIG.cache(2, 9))
    rows = [out.logits]
    for n in range(3, 7):
        out = run(IDS[:, n : n + 1], None, out.cache)
        rows.append(out.logits)
    np.testing.assert_allclose(np.concatenate(rows, axis=1), whole, atol=1e-5)
    np.testing.assert_array_equal(out.cache.length, [7, 7])


def test_a_hidden_slot_of_the_cache_is_not_seen():
    mask = np.ones((2, 9), bool)
    mask[1, 2] = False
    whole = run(IDS, mask[:, :7]).logits
    out = run(IDS[:, :3], mask, CONFIG.cache(2, 9))
    out = run(IDS[:, 3:], mask, out.cache)
    np.testing.assert_allclose(out.logits, whole[:, 3:], atol=1e-5)


def test_too_long_is_an_error():
    with pytest.raises(ValueError, match="13 tokens do not fit: GPT-2 has 12 positions"):
        run(np.zeros((1, 13), np.int32))
    with pytest.raises(ValueError, match="the cache 3 slots"):
        run(IDS, None, CONFIG.cache(2, 3))
    with pytest.raises(ValueError, match="a cache of 13 slots"):
        CONFIG.cache(1, 13)
