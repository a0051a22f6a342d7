"""Rows of an index: read one by one, from the file."""

import json
import pickle

import pytest

from hsmtss_jax.data.index_rows import JsonLines, open_index
from hsmtss_jax.data.records import read_index


def test_rows_are_those_of_the_file(tiny_corpus):
    rows = open_index(tiny_corpus, "train")
    assert list(rows) == read_index(tiny_corpus, "train") == list(pickle.loads(pickle.dumps(rows)))
    assert rows[-1] == rows[len(rows) - 1] and rows[2:4] == [rows[2], rows[3]]
    with pytest.raises(IndexError):
        rows[len(rows)]


def test_a_data_set_without_an_index_is_read_through(tiny_corpus, tmp_path):
    copy = tmp_path / "set"
    copy.mkdir()
    for file in tiny_corpus.iterdir():
        if not file.name.startswith("index-"):
            (copy / file.name).write_bytes(file.read_bytes())
    rows, known = open_index(copy, "test"), read_index(tiny_corpus, "test")
    assert [row["id"] for row in rows] == [row["id"] for row in known]
    assert [row["samples"] for row in rows] == [row["samples"] for row in known]


@pytest.mark.parametrize(("text", "count"), [("", 0), ('{"a": 1}\n', 1), ('{"a": 1}\n{"a": 2}', 2)])
def test_the_last_line_may_lack_its_break(tmp_path, text, count):
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    rows = JsonLines(path)
    assert len(rows) == count and [row["a"] for row in rows] == list(range(1, count + 1))


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"a": 1}) + "\n{\n")
    with pytest.raises(ValueError, match=r"rows\.jsonl is damaged in line 2"):
        JsonLines(path)[1]
    with pytest.raises(OSError, match="none"):
        JsonLines(tmp_path / "none.jsonl")
