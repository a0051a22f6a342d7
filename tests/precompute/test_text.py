"""Frozen text features by caption: the same numbers as computing them in the step, everywhere."""

import dataclasses
import functools
import itertools

import grain
import jax
import numpy as np
import pytest

from hsmtss_jax.config import Shard
from hsmtss_jax.models.text.tokenizer import Tokenizer
from hsmtss_jax.precompute.text import TextCache
from hsmtss_jax.testing.bundles import draw, frozen_params, make_stage, step_input
from hsmtss_jax.testing.corpus import write_tiny_corpus
from hsmtss_jax.testing.encoders import stub

STAGES = ("q_audio", "global_separator", "single_stage")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return str(write_tiny_corpus(tmp_path_factory.mktemp("corpus")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tmp_path_factory.mktemp("cache"))


@functools.cache
def stage_of(name, corpus, folder):
    return make_stage(name, batch_size=4, root=corpus, text_cache=folder)


def take(dataset, count=2):
    return list(itertools.islice(dataset, count))


def same(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


@pytest.mark.parametrize("name", STAGES)
def test_batches_hold_what_the_step_would_compute(name, corpus, folder):
    stage, plain = stage_of(name, corpus, folder), stage_of(name, corpus, "")
    spec = stage.batch_spec()
    assert spec.keys() - plain.batch_spec().keys() == {"text_features"}
    for split in ("train", "validation"):
        batch, without = (take(each.dataset(split, Shard(), 0), 1)[0] for each in (stage, plain))
        features = batch.pop("text_features")
        same(batch, without)
        assert (features.shape, features.dtype) == (
            spec["text_features"].shape,
            spec["text_features"].dtype,
        )
        if name != "global_separator":
            compute, mask = plain.encoders.raw_text, batch["text_mask"]
        else:
            compute = lambda *args: plain.encoders.text(*args)[0]  # noqa: E731
            mask = np.pad(batch["text_mask"], ((0, 0), (1, 0)), constant_values=True)
        ids, text_mask = batch["text_ids"], batch["text_mask"]
        expected = jax.jit(compute)(frozen_params(plain), ids, text_mask)
        np.testing.assert_allclose(features[mask], expected[mask], atol=1e-5)
        assert not features[~mask].any()


def test_the_loss_is_the_same(corpus, folder):
    """Padded rows are zeros from the cache and something else from the encoder: neither counts."""
    stage = make_stage("q_audio", batch_size=4, root=corpus, text_cache=folder)
    batch = take(stage.dataset("train", Shard(), 0), 1)[0]
    s = jax.random.normal(jax.random.key(1), (4, 6, stage.config.model.audio_width))
    frozen, key = frozen_params(stage), jax.random.key(0)
    encoder = jax.jit(stage.encoders.raw_text)
    computed = encoder(frozen, batch["text_ids"], batch["text_mask"])
    params = draw(jax.eval_shape(stage.init, key, stage.batch_spec(), frozen)[0], "q_audio")
    stage.encoders = stub(stage.encoders, local_fn=lambda params, audio: s)
    evaluate = jax.jit(stage.eval_metrics)
    ours = evaluate(step_input(stage, params, batch))
    theirs = evaluate(step_input(stage, params, {**batch, "text_features": computed}))
    assert np.any(computed[~batch["text_mask"]])
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-5, atol=1e-5, err_msg=name)


def test_shards_and_resumed_iterators_read_the_same(corpus, folder):
    stage = stage_of("q_audio", corpus, folder)
    halves = [take(stage.dataset("train", Shard(i, 2), 0), 1)[0] for i in range(2)]
    whole = take(stage.dataset("train", Shard(), 0), 1)[0]
    joined = {name: np.concatenate([half[name] for half in halves]) for name in whole}
    same(joined, whole)
    iterator = iter(stage.dataset("train", Shard(), 0))
    next(iterator)
    state = iterator.get_state()
    second = next(iterator)
    resumed = iter(stage.dataset("train", Shard(), 0))
    resumed.set_state(state)
    same(next(resumed), second)


def test_worker_processes_read_the_file(corpus, folder):
    stage = stage_of("q_audio", corpus, folder)
    data = dataclasses.replace(stage.data, workers=1)
    worked = type(stage)(stage.config, data, stage.upstream).dataset("train", Shard(), 0)
    assert isinstance(worked, grain.IterDataset)
    same(take(worked, 1), take(stage.dataset("train", Shard(), 0), 1))


def test_files_are_written_once_and_named_by_what_made_them(tmp_path):
    stage = make_stage("q_audio", text_cache=str(tmp_path))
    tokenizer = Tokenizer.from_bundle(stage.upstream["text_encoder"])
    bundles = {"text_encoder": stage.upstream["text_encoder"]}

    def compute(frozen, ids, mask):
        return ids[:, :, None] * np.ones((1, 1, 3), np.float32)

    cache = TextCache(str(tmp_path), bundles, compute, np.float32)
    ids, mask = tokenizer([f"a {x}" for x in "bcdefg"], 8)
    with jax.transfer_guard("disallow"):  # as in the loop
        rows = cache(ids, mask)
    np.testing.assert_array_equal(rows(2)[:, 0], ids[2] * mask[2])
    (file,) = tmp_path.iterdir()
    written = file.stat().st_mtime_ns, file.stat().st_ino
    cache(ids, mask)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == written
    other = dataclasses.replace(bundles["text_encoder"], digest="another")
    dataclasses.replace(cache, bundles={"text_encoder": other})(ids, mask)
    cache(ids[:3], mask[:3])
    assert len({path.suffix for path in tmp_path.iterdir()}) == 1
    assert len(list(tmp_path.iterdir())) == 3
