"""The captioner's stage and its beam search, on random upstream bundles."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.config import Shard
from hsmtss_jax.conversion import to_dict
from hsmtss_jax.inference.captioner import Captioner
from hsmtss_jax.models.captioner import CaptionerConfig
from hsmtss_jax.models.text.tokenizer import CausalTokenizer
from hsmtss_jax.stages.captioner import CaptionerStage
from hsmtss_jax.testing.bundles import draw, frozen_params, make_stage, step_input, tiny_upstream
from hsmtss_jax.testing.corpus import write_tiny_corpus
from hsmtss_jax.testing.encoders import stub
from hsmtss_jax.train.stage import StepInput

BATCH, TOKENS = 2, 6


def stage(finetune: bool) -> CaptionerStage:
    tiny = make_stage("captioner", batch_size=BATCH, max_text_tokens=TOKENS)
    config = dataclasses.replace(tiny.config, finetune=finetune)
    return CaptionerStage(config, tiny.data, tiny.upstream)


def batch(stage):
    rng = np.random.default_rng(0)
    samples = stage.config.samples
    mask = np.arange(TOKENS)[None] < np.array([4, 6])[:, None]
    return {
        "audio": jnp.asarray(0.1 * rng.normal(size=(BATCH, samples)), jnp.float32),
        "length": jnp.full((BATCH,), samples, jnp.int32),
        "text_ids": jnp.asarray(np.where(mask, rng.integers(4, 60, mask.shape), 64), jnp.int32),
        "text_mask": jnp.asarray(mask),
        "caption_id": jnp.arange(BATCH, dtype=jnp.int32),
    }


@pytest.mark.parametrize("finetune", [False, True])
def test_the_map_learns_and_gpt2_only_when_asked(finetune):
    one = stage(finetune)
    frozen = frozen_params(one)
    params, aux = one.init(jax.random.key(0), batch(one), frozen)
    assert set(params["model"]) == ({"map", "gpt2"} if finetune else {"map"})
    objective = one.objectives()["model"]
    # The frozen chain is not what is tested: fixed features stand for it.
    encoder, width = one.encoders.audio_mae, one.encoders.q_audio.global_width
    keys = jax.random.split(jax.random.key(1))
    s = jax.random.normal(keys[0], (BATCH, encoder.patches, encoder.width))
    g = jax.random.normal(keys[1], (BATCH, 1, width))
    one.encoders = stub(
        one.encoders, local_fn=lambda params, audio: s, global_fn=lambda params, s: g
    )

    @jax.jit
    def gradient(params, frozen):
        def loss(params):
            step = jnp.zeros((), jnp.int32)
            return objective(StepInput(params, aux, frozen, batch(one), jax.random.key(1), step))

        return jax.value_and_grad(loss, has_aux=True)(params)

    (loss, report), grad = gradient(params, frozen)
    assert np.isfinite(loss) and 0 <= report.metrics["accuracy"] <= 1
    silent = [
        jax.tree_util.keystr(path)
        for path, leaf in jax.tree_util.tree_leaves_with_path(grad)
        if not np.any(np.asarray(leaf))
    ]
    assert [name for name in silent if "key']['bias" not in name] == []


def test_tokens_behind_the_end_do_not_count():
    """The loss of a caption does not change with what lies under its mask."""
    one = stage(False)
    params = one.init(jax.random.key(0), batch(one), frozen_params(one))[0]
    metrics = jax.jit(one.eval_metrics)
    first = batch(one)
    other = {**first, "text_ids": jnp.where(first["text_mask"], first["text_ids"], 7)}
    a, b = (metrics(step_input(one, params, x)) for x in (first, other))
    np.testing.assert_allclose(a["loss"], b["loss"], rtol=1e-6)
    assert a["loss"].shape == a["accuracy"].shape == (BATCH,)


def test_widths_must_fit():
    one = stage(False)
    wide = CaptionerConfig(width=32)
    with pytest.raises(ValueError, match=r"stage\.model\.width=32, but the upstream bundle has 16"):
        CaptionerStage(dataclasses.replace(one.config, model=wide), one.data, one.upstream)


def test_the_data_view_ends_each_caption(tmp_path):
    corpus = write_tiny_corpus(tmp_path)
    one = make_stage("captioner", batch_size=4, root=str(corpus), eval_examples=4)
    found = next(iter(one.dataset("validation", Shard(), 0)))
    tokenizer = CausalTokenizer.from_bundle(one.upstream["gpt2"])
    for name, spec in one.batch_spec().items():
        assert found[name].shape == spec.shape and found[name].dtype == spec.dtype
    for ids, mask in zip(found["text_ids"], found["text_mask"], strict=True):
        assert ids[mask][-1] == tokenizer.end_id or mask.all()
        assert (ids[mask][:-1] != tokenizer.end_id).all() and (ids[~mask] == tokenizer.end_id).all()


def test_beam_search_through_the_cache_scores_as_the_stage_does():
    """The mean log-probability of the caption found equals that of a forward pass without a cache."""
    one = stage(False)
    frozen = frozen_params(one)
    params = one.init(jax.random.key(0), batch(one), frozen)[0]
    params = {"model": {"map": draw(params["model"]["map"], "map")}}
    upstream = tiny_upstream(["audio_mae", "q_audio", "gpt2"])
    digests = {name: bundle.digest for name, bundle in upstream.items()}
    config = json.loads(json.dumps(to_dict(one.config)))
    released = Bundle(stage="captioner", config=config, params=params["model"], upstream=digests)
    writer = Captioner({**upstream, "captioner": released})
    audio = np.asarray(batch(one)["audio"])
    beams = writer.search(audio, beams=3, tokens=TOKENS)
    ids = beams.tokens[:, 0]
    end = CausalTokenizer.from_bundle(upstream["gpt2"]).end_id
    mask = jnp.cumsum(ids == end, axis=1) <= (ids == end)
    found = {**batch(one), "text_ids": ids, "text_mask": mask}
    values = jax.jit(one.eval_metrics)(step_input(one, params, found))
    np.testing.assert_allclose(-np.asarray(values["loss"]), beams.scores[:, 0], rtol=1e-4)
    texts = writer.caption(audio, beams=3, tokens=TOKENS)
    assert len(texts) == BATCH and all("endoftext" not in text for text in texts)
