"""The table of captions, with and without features kept beside the token ids."""

import pickle

import numpy as np
import pytest

from hsmtss_jax.data.text_table import FeatureRows, TextTable

TEXTS = ["a", "bb cc", "d e f"]
COUNTS = np.array([2, 3, 4])


def words(texts, max_tokens):
    """One token a word, its length; two more for the ends."""
    ids = np.zeros((len(texts), max_tokens), np.int32)
    for row, text in enumerate(texts):
        tokens = [1, *(len(word) for word in text.split()), 1]
        ids[row, : len(tokens)] = tokens
    return ids, ids > 0


@pytest.fixture
def file(tmp_path):
    rows = np.random.default_rng(0).normal(size=(COUNTS.sum(), 5))
    np.save(tmp_path / "rows.npy", rows.astype(np.float32))
    return tmp_path / "rows.npy"


def encode_into(file):
    return lambda ids, mask: FeatureRows(file, mask.sum(axis=1) - 1, ids.shape[1])


def test_ids_alone():
    table = TextTable(TEXTS, words, 6)
    assert set(table("bb cc")) == {"text_ids", "text_mask"}
    np.testing.assert_array_equal(table("bb cc")["text_ids"], [1, 2, 2, 1, 0, 0])
    with pytest.raises(KeyError):
        table("never seen")


def test_features_are_the_texts_own_and_padded(file):
    table = TextTable(TEXTS, words, 6, encode_into(file))
    rows = np.load(file)
    found = table("bb cc")["text_features"]
    assert found.shape == (6, 5) and found.dtype == np.float32
    np.testing.assert_array_equal(found[:3], rows[2:5])
    np.testing.assert_array_equal(found[3:], 0.0)
    np.testing.assert_array_equal(table("d e f")["text_features"][:4], rows[5:])


def test_a_copy_reads_the_file_and_carries_no_array(file):
    table = TextTable(TEXTS, words, 6, encode_into(file))
    table("a")
    pickled = pickle.dumps(table)
    assert len(pickled) < 2_000
    np.testing.assert_array_equal(
        pickle.loads(pickled)("a")["text_features"], table("a")["text_features"]
    )


def test_a_file_of_another_table_is_refused(file):
    with pytest.raises(ValueError, match="not 12 rows: delete it"):
        FeatureRows(file, COUNTS + 1, 6)
