"""Tokenizers beside public weights: RoBERTa's in both forms, and what is refused."""

import json

import pytest

from hsmtss_jax.bundles.importers.tokenizer import (
    has_tokenizer,
    read_json,
    read_roberta_tokenizer,
    read_tokenizer,
)
from hsmtss_jax.models.text.tokenizer import Tokenizer
from tests.bundles.importers.audiosep_state import VOCAB, write_roberta_files


def test_roberta_of_two_files_is_that_of_one(tmp_path):
    files = read_roberta_tokenizer(write_roberta_files(tmp_path), len(VOCAB))
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "tokenizer.json").write_bytes(files["tokenizer.json"])
    assert read_roberta_tokenizer(tmp_path / "one", len(VOCAB)).keys() == files.keys()
    tokenizer = Tokenizer(files["tokenizer.json"].decode())
    ids, mask = tokenizer(["a dog"], 8)
    words = [VOCAB[token] for token in ("<s>", "a", "Ġ", "d", "o", "g", "</s>")]
    assert ids[0].tolist() == [*words, VOCAB["<pad>"]] and mask.sum() == 7
    assert has_tokenizer(tmp_path) and has_tokenizer(tmp_path / "one")


@pytest.mark.parity
def test_roberta_is_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    write_roberta_files(tmp_path)
    theirs = transformers.RobertaTokenizer.from_pretrained(str(tmp_path))
    files = read_roberta_tokenizer(tmp_path, len(VOCAB))
    ours = Tokenizer(files["tokenizer.json"].decode())
    for text in ("a dog barking", " two  spaces", "a cat, 3 birds"):
        ids, mask = ours([text], 40)
        assert ids[0][mask[0]].tolist() == theirs(text)["input_ids"]


def test_what_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no tokenizer\.json"):
        read_tokenizer(tmp_path, 9)
    with pytest.raises(ValueError, match="more tokens than the model's 9"):
        read_roberta_tokenizer(write_roberta_files(tmp_path), 9)
    (tmp_path / "vocab.json").write_text(json.dumps({"a": 0}))
    with pytest.raises(ValueError, match=r"lacks <s>, <pad>, .* not RoBERTa's"):
        read_roberta_tokenizer(tmp_path, 9)
    (tmp_path / "merges.txt").write_text("x y z\n")
    with pytest.raises(ValueError, match="do not fit: download them again"):
        read_roberta_tokenizer(tmp_path, 9)
    with pytest.raises(ValueError, match="is not JSON"):
        read_json(tmp_path, "merges.txt")
