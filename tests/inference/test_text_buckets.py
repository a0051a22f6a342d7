"""Length buckets change the cost of a text, not what is made of it."""

from pathlib import Path

import numpy as np

from hsmtss_jax.bundles.pipeline import ROLES, Pipeline
from hsmtss_jax.evaluation.representation import Representation
from hsmtss_jax.evaluation.retrieval import embed_texts
from hsmtss_jax.inference.runtime import System
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.testing.bundles import tiny_upstream

TEXTS = ["the a", "a the, a the, a the.", "b"]  # 4, 11 and 3 tokens: buckets of 8 and 16


def unbucketed(holder, name):
    """``holder`` with texts at their full static length."""
    tokenizer = getattr(holder, name)
    tokenizer.bucketed = tokenizer.__call__
    return holder


def test_a_query_is_the_same_in_any_bucket_and_keeps_one_shape():
    system = System(Pipeline(tiny_upstream(ROLES), Policy(), {}, Path()))
    lengths = [system.tokenizer.bucketed([text], system.max_text)[0].shape[1] for text in TEXTS]
    assert lengths == [8, 16, 8]
    short, long = (system.query("extract", text, 2) for text in TEXTS[:2])
    assert (
        short.condition.text.shape
        == long.condition.text.shape
        == (2, system.max_text + 1, short.condition.text.shape[2])
    )
    assert short.condition.text_mask.sum(axis=1).tolist() == [5, 5]  # [CLS] and the tokens
    full = unbucketed(system, "tokenizer").query("extract", TEXTS[0], 2)
    np.testing.assert_array_equal(short.condition.text_mask, full.condition.text_mask)
    mask = np.asarray(full.condition.text_mask)
    np.testing.assert_allclose(short.text[mask], full.text[mask], atol=1e-5)


def test_texts_are_embedded_in_their_own_order_and_bucket():
    representation = Representation(tiny_upstream(["audio_mae", "text_encoder", "q_audio"]))
    vectors = embed_texts(representation, TEXTS, batch=2)
    full = unbucketed(representation, "_tokenizer").text_vectors(TEXTS)
    np.testing.assert_allclose(vectors, full, atol=1e-5)
