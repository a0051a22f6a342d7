"""Q-Audio: sizes, and who may see whom in each of the three passes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.q_audio import QAudioConfig, bounded

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


def reach(run, x):
    """[N, outputs]: whether changing row j of x [N, C] alone changes output i of run(x [B, N, C])."""
    noise = jax.random.normal(jax.random.key(7), (1, *x.shape))
    changed = x[None] + 3.0 * jnp.eye(len(x))[:, :, None] * noise
    out = np.asarray(run(jnp.concatenate([x[None], changed])))
    out = out.reshape(len(x) + 1, -1, out.shape[-1])
    return np.any(out[1:] != out[:1], axis=-1)


VALID = np.arange(6) < 4  # of the second example's tokens; the others are padding


def repeated(x, count=7):
    """The second example, once for each row that ``reach`` asks for."""
    return jnp.repeat(x[1:], count, axis=0)


def test_atc_text_sees_text_in_both_directions_and_no_padding(inputs):
    params, _, text, mask, _ = inputs
    seen = reach(lambda x: apply(params, x, repeated(mask), method="text"), text[1])
    assert seen.shape == (6, 7)  # [CLS], then the tokens
    np.testing.assert_array_equal(seen[VALID][:, :5], True)
    np.testing.assert_array_equal(seen[~VALID][:, :5], False)


def test_atc_query_sees_every_patch(inputs):
    params, s, *_ = inputs
    np.testing.assert_array_equal(reach(lambda x: apply(params, x, method="audio"), s[1]), True)


def test_atc_is_a_joint_pass_in_which_neither_sees_the_other(inputs):
    """q sees q; c and t see c and t: two passes, because nothing crosses."""
    params, s, text, mask, _ = inputs

    def joint(module):
        query = module.embeddings.of_query(2, train=False)
        x = module.embeddings.of_text(text, "encoder", train=False)
        apart = jnp.zeros((8, 8), bool).at[0, 0].set(True).at[1:, 1:].set(True)
        valid = jnp.pad(mask, ((0, 0), (2, 0)), constant_values=True)
        visible = (apart[None] & valid[:, None, :])[:, None]
        return module.stack(query, x, audio=module.audio_norm(s), mask=visible)[0]

    def passes(module):
        return module.audio(s), module.text(text, mask)

    for a, b in zip(*(apply(params, method=run) for run in (joint, passes)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_atm_sees_all_tokens_and_patches_and_no_padding(inputs):
    params, s, text, mask, _ = inputs
    tokens = reach(lambda x: apply(params, repeated(s), x, repeated(mask), method="match"), text[1])
    np.testing.assert_array_equal(tokens[:, 0], VALID)
    patches = reach(
        lambda x: apply(params, x, repeated(text, 6), repeated(mask, 6), method="match"), s[1]
    )
    np.testing.assert_array_equal(patches, True)


def test_atg_sees_the_audio_and_the_tokens_before(inputs):
    params, s, text, mask, table = inputs
    logits = _caption(params, s, text, mask, table)
    assert logits.shape == (2, 6, 11)
    tokens = reach(lambda x: _caption(params, repeated(s), x, repeated(mask), table), text[1])
    before = np.arange(6)[:, None] < np.arange(6)[None]  # row j reaches the predictions behind it
    np.testing.assert_array_equal(tokens[:, VALID], (before & VALID[:, None])[:, VALID])
    patches = reach(
        lambda x: _caption(params, x, repeated(text, 6), repeated(mask, 6), table), s[1]
    )
    np.testing.assert_array_equal(patches, True)


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
    assert g.shape == (2, 1, 16)
    z = apply(params, g, method="project_audio")
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1.0, atol=1e-5)
    t_cap = apply(params, text, mask, method="text")
    assert t_cap.shape == (2, 7, 16)
    assert apply(params, t_cap, method="project_text").shape == (2, 4)
    for value, kept in ((3.0, 0.5), (0.2, 0.2), (0.001, 0.01), (-1.0, 0.01)):
        at = {"params": {**params["params"], "temperature": jnp.float32(value)}}
        np.testing.assert_allclose(apply(at, method="temperature"), kept, rtol=1e-6)


def test_a_temperature_beyond_its_bounds_is_led_back():
    """The gradient of a loss that asks for more (-1) and for less (1)."""
    slope = jax.vmap(jax.grad(lambda x, sign: sign * bounded(x, 0.01, 0.5)))
    x = jnp.array([0.001, 0.001, 0.2, 0.2, 3.0, 3.0])
    sign = jnp.array([-1.0, 1.0, -1.0, 1.0, -1.0, 1.0])
    np.testing.assert_array_equal(slope(x, sign), [-1, 0, -1, 1, 0, 1])


def test_too_long_a_text_is_refused(inputs):
    params, _, text, mask, _ = inputs
    with pytest.raises(ValueError, match="takes 6"):
        MODEL.apply(params, jnp.tile(text, (1, 2, 1)), jnp.tile(mask, (1, 2)), method="text")
