"""Q-Audio's stage and the frozen chain at their tiny sizes, on random upstream bundles."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.networks import read_encoders
from hsmtss_jax.config import Shard
from hsmtss_jax.testing.bundles import draw, frozen_params, make_stage, step_input, tiny_upstream
from hsmtss_jax.testing.corpus import write_tiny_corpus

BATCH = 4


@functools.cache
def stage():
    return make_stage("q_audio", batch_size=BATCH)


@functools.cache
def params():
    return jax.jit(stage().init)(jax.random.key(0), batch(), frozen_params(stage()))[0]


def batch():
    rng = np.random.default_rng(0)
    spec = stage().batch_spec()
    mask = np.arange(spec["text_ids"].shape[1])[None] < np.arange(4, 4 + BATCH)[:, None]
    return {
        "audio": jnp.asarray(0.1 * rng.normal(size=spec["audio"].shape), jnp.float32),
        "length": jnp.full((BATCH,), spec["audio"].shape[1], jnp.int32),
        "text_ids": jnp.asarray(rng.integers(4, 60, mask.shape) * mask, jnp.int32),
        "text_mask": jnp.asarray(mask),
        "caption_id": jnp.arange(BATCH, dtype=jnp.int32),
    }


def test_nothing_flows_into_the_frozen_encoders():
    def chain(frozen):
        s = stage().encoders.local(frozen, batch()["audio"])
        raw = stage().encoders.raw_text(frozen, batch()["text_ids"], batch()["text_mask"])
        return jnp.sum(s**2) + jnp.sum(raw**2)

    grad = jax.jit(jax.grad(chain))(frozen_params(stage()))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(grad))


def test_query_feed_forward_starts_as_a_copy_of_the_texts():
    layers = params()["model"]["stack"]["layers"]
    jax.tree.map(np.testing.assert_array_equal, layers["ffn_query"], layers["ffn_text"])


def test_eval_is_per_example():
    values = jax.jit(stage().eval_metrics)(step_input(stage(), params(), batch()))
    assert {x.shape for x in values.values()} == {(BATCH,)}
    assert {"atc", "atm", "atg", "hit", "matched"} <= set(values)


@pytest.mark.parametrize(("source", "leaks"), [("table", False), ("encoder", True)])
def test_atg_leaks_the_next_token_only_where_it_is_asked_to(source, leaks):
    """The text encoder is bidirectional: its outputs carry what comes after."""
    base = stage()
    config = dataclasses.replace(base.config, atg_source=source)
    each = type(base)(config, base.data, base.upstream)
    model = config.model.make()
    s = jax.random.normal(jax.random.key(0), (BATCH, 6, config.model.audio_width))
    given, frozen = batch(), frozen_params(base)
    weights = draw(jax.eval_shape(base.init, jax.random.key(0), base.batch_spec(), frozen), "q")[0]

    @jax.jit
    def logits(weights, frozen, ids):
        def predict(module):
            raw = each.encoders.raw_text(frozen, ids, given["text_mask"])
            batch = {**given, "text_ids": ids}
            return each.next_tokens(module, frozen, batch, module.audio_pass(s), raw, False).logits

        return model.apply({"params": weights["model"]}, method=predict)

    changed = given["text_ids"].at[:, 3].add(1)  # the third target: [CLS] is none
    a, b = (np.asarray(logits(weights, frozen, ids)) for ids in (given["text_ids"], changed))
    assert (np.abs(a - b)[:, :3].max() > 1e-3) == leaks
    assert np.abs(a - b)[:, 3].max() > 1e-3


def test_release_has_no_language_model_head():
    released = stage().release(params(), {})
    assert not any(name.startswith("lm_") for name in released)
    assert {"embeddings", "stack", "audio_norm", "match_head"} <= set(released)


def test_dataset_fits_the_batch_spec(tmp_path):
    data = dataclasses.replace(stage().data, root=str(write_tiny_corpus(tmp_path)))
    on_disk = type(stage())(stage().config, data, stage().upstream)
    got = next(iter(on_disk.dataset("train", Shard(), 0)))
    assert {k: (v.shape, v.dtype) for k, v in got.items()} == {
        k: (v.shape, v.dtype) for k, v in on_disk.batch_spec().items()
    }


def test_features_have_the_stated_shapes_and_ignore_padding():
    upstream = tiny_upstream(["audio_mae", "text_encoder", "q_audio"])
    features = read_encoders(upstream)
    frozen = {name: bundle.params for name, bundle in upstream.items()}

    @jax.jit
    def chain(frozen, batch):
        s = features.local(frozen, batch["audio"])
        t_cap, mask = features.text(frozen, batch["text_ids"], batch["text_mask"])
        t_task, task_mask = features.task(frozen, jnp.array([0, 1, 1, 0]))
        return s, features.global_(frozen, s), t_cap, mask, t_task, task_mask

    s, g, t_cap, mask, t_task, task_mask = chain(frozen, batch())
    config = features.q_audio
    tokens = batch()["text_ids"].shape[1]
    assert s.shape == (BATCH, features.audio_mae.patches, config.audio_width)
    assert g.shape == (BATCH, 1, config.global_width)
    assert t_cap.shape == (BATCH, tokens + 1, config.width) and mask.shape == t_cap.shape[:2]
    assert t_task.shape[2] == config.text_width and task_mask.shape == t_task.shape[:2]
    assert mask[:, 0].all() and np.allclose(t_task[1], t_task[2])
    assert not np.allclose(t_task[0], t_task[1])
    other = {**batch(), "text_ids": jnp.where(batch()["text_mask"], batch()["text_ids"], 9)}
    np.testing.assert_allclose(t_cap[mask], chain(frozen, other)[2][mask], atol=1e-5)
