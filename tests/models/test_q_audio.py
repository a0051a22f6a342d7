"""Q-Audio: sizes, and who may see whom in each of the three passes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.q_audio import QAudioConfig

CONFIG = QAudioConfig(
    width=16, heads=2, mlp=32, audio_width=12, text_width=8, contrastive=4, max_text=6, vocab=11
)
MODEL = CONFIG.make()


@pytest.fixture(scope="module")
def inputs():
    keys = jax.random.split(jax.random.key(0), 4)
    s = jax.random.normal(keys[0], (2, 5, 12))
    text = jax.random.normal(keys[1], (2, 6, 8))
    mask = jnp.array([[True] * 6, [True] * 4 + [False] * 2])
    table = jax.random.normal(keys[2], (11, 8))
    params = jax.jit(MODEL.init)(keys[3], s, text, mask, table)
    return params, s, text, mask, table


@functools.partial(jax.jit, static_argnames="method")
def apply(params, *args, method):
    return MODEL.apply(params, *args, method=method)


def _caption(params, s, rows, mask, table):
    return apply(params, s, rows, mask, table, method=_caption_logits)


def _caption_logits(module, s, rows, mask, table):
    return module.caption(module.audio_pass(s), rows, mask, table)


def test_paper_size():
    cfg = QAudioConfig()
    shapes = [(1, 4, 768), (1, 3, 768), (1, 3), (cfg.vocab, 768)]
    specs = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    specs[2] = jax.ShapeDtypeStruct((1, 3), jnp.bool_)
    params = jax.eval_shape(cfg.make().init, jax.random.key(0), *specs)["params"]
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    assert count(params["stack"]) == 2 * 14_175_744
    embeddings = params["embeddings"]
    body = count(params["stack"]) + embeddings["query"].size + count(embeddings["norm"])
    assert body + count(params["audio_norm"]) == 28_355_328
    heads = ("audio_projection", "text_projection", "match_head")
    assert sum(count(params[name]) for name in heads) + 1 == 395_267  # with the temperature


def test_the_query_pass_reads_audio_and_no_text(inputs):
    params, s, *_ = inputs
    g = apply(params, s, method="audio")
    assert g.shape == (2, 1, 16)
    assert not np.allclose(g, apply(params, s[::-1], method="audio"))


def test_text_padding_does_not_matter(inputs):
    params, s, text, mask, table = inputs
    garbage = jnp.where(mask[:, :, None], text, 1e3)
    for method in ("text", "match"):
        args = () if method == "text" else (s,)
        a, b = (apply(params, *args, x, mask, method=method) for x in (text, garbage))
        a, b = (x if method == "match" else x[1, :5] for x in (a, b))
        np.testing.assert_allclose(a, b, atol=1e-5)
    a, b = (_caption(params, s, x, mask, table) for x in (text, garbage))
    np.testing.assert_allclose(a[1, :4], b[1, :4], atol=1e-5)


def test_text_is_bidirectional_in_atc_and_atm(inputs):
    params, s, text, mask, _ = inputs
    changed = text.at[:, 3].multiply(-1.0)
    a, b = (apply(params, x, mask, method="text") for x in (text, changed))
    assert not np.allclose(a[:, 1], b[:, 1])
    a, b = (apply(params, s, x, mask, method="match") for x in (text, changed))
    assert not np.allclose(a, b)


def test_captions_are_causal_and_hear_the_audio(inputs):
    params, s, text, mask, table = inputs
    logits = _caption(params, s, text, mask, table)
    assert logits.shape == (2, 6, 11)
    later = _caption(params, s, text.at[:, 2].multiply(-1.0), mask, table)
    np.testing.assert_allclose(
        logits[:, :3], later[:, :3], atol=1e-6
    )  # y_3 predicts y_4, not itself
    assert not np.allclose(logits[:, 3], later[:, 3])
    last = _caption(params, s, text.at[:, 5].multiply(-1.0), mask, table)
    np.testing.assert_array_equal(logits, last)
    assert not np.allclose(logits[:, 0], _caption(params, s[::-1], text, mask, table)[:, 0])


def test_the_prefix_equals_a_joint_pass_in_which_the_query_sees_itself_alone(inputs):
    """ATG's mask: q sees q; d sees q, d; t_i sees q, d and the tokens up to i."""
    params, s, text, *_ = inputs

    def joint(module):
        query = module.embeddings.of_query(2, train=False)
        x = module.embeddings.of_text(text[:, :-1], "table", train=False)
        visible = jnp.tril(jnp.ones((7, 7), bool)).at[0, 1:].set(False)[None, None]
        audio = module.audio_norm(s)
        return module.stack(query, x, audio=audio, mask=visible)[0][1]

    def cached(module):
        audio = module.audio_pass(s)
        x = module.embeddings.of_text(text[:, :-1], "table", train=False)
        cache = jax.tree.map(lambda leaf: leaf, audio.cache)
        cache = cache.replace(
            k=jnp.pad(cache.k, ((0, 0), (0, 0), (0, 6), (0, 0), (0, 0))),
            v=jnp.pad(cache.v, ((0, 0), (0, 0), (0, 6), (0, 0), (0, 0))),
        )
        visible = jnp.tril(jnp.ones((6, 7), bool), k=1)[None, None]
        return module.stack(None, x, mask=visible, cache=cache)[0][1]

    a, b = (apply(params, method=run) for run in (joint, cached))
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_projections_are_unit_and_the_temperature_is_bounded(inputs):
    params, s, text, mask, _ = inputs
    g = apply(params, s, method="audio")
    z = apply(params, g, method="project_audio")
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1.0, atol=1e-5)
    t_cap = apply(params, text, mask, method="text")
    assert t_cap.shape == (2, 7, 16)
    assert apply(params, t_cap, method="project_text").shape == (2, 4)
    hot = {"params": {**params["params"], "temperature": jnp.array(3.0)}}
    assert apply(hot, method="temperature") == 0.5


def test_too_long_a_text_is_refused(inputs):
    params, _, text, mask, _ = inputs
    with pytest.raises(ValueError, match="takes 6"):
        MODEL.apply(params, jnp.tile(text, (1, 2, 1)), jnp.tile(mask, (1, 2)), method="text")
