"""The record format: our reader, our writer, and TFDS agree."""

import numpy as np
import pytest

from hsmtss_jax.data.records import (
    DatasetCard,
    RecordReader,
    Split,
    read_index,
    read_kinds,
    write_dataset,
)
from hsmtss_jax.testing.corpus import FIELDS


@pytest.mark.filterwarnings("ignore")  # of TFDS and its dependencies
def test_tfds_reads_the_data_set(tiny_corpus):
    tfds = pytest.importorskip("tensorflow_datasets")
    source = tfds.builder_from_directory(str(tiny_corpus)).as_data_source("train")
    reader = RecordReader(tiny_corpus, "train")
    assert len(source) == len(reader) == 24
    for i in (0, 9, 10, 23):  # both sides of a shard's edge
        theirs, ours = source[i], reader.read(i)
        assert theirs["audio"].dtype == np.int16
        np.testing.assert_array_equal(theirs["audio"], ours["audio"])
        assert [c.decode() for c in theirs["captions"]] == ours["captions"]
        assert theirs["id"].decode() == ours["id"]
        assert int(theirs["bandwidth_hz"]) == ours["bandwidth_hz"]


def test_index_file_says_what_the_records_say(tiny_corpus, tmp_path):
    rows = read_index(tiny_corpus, "validation")
    link = tmp_path / "without_index"
    link.mkdir()
    for path in tiny_corpus.iterdir():
        if not path.name.startswith("index-"):
            (link / path.name).symlink_to(path)
    assert read_index(link, "validation") == rows
    assert len(rows) == 8


def test_kinds_survive(tiny_corpus):
    assert read_kinds(tiny_corpus) == FIELDS


def test_missing_data_set_and_split(tiny_corpus, tmp_path):
    with pytest.raises(OSError, match=r"prepare\.py"):
        read_kinds(tmp_path)
    with pytest.raises(OSError, match="no split 'dev'"):
        RecordReader(tiny_corpus, "dev")


def test_wrong_count_leaves_the_old_data_set(tmp_path):
    card = DatasetCard(name="x", description="")
    write_dataset(tmp_path / "x", card, {"n": "int"}, {"train": Split(1, [{"n": 1}])})
    with pytest.raises(ValueError, match="announced 2"):
        write_dataset(tmp_path / "x", card, {"n": "int"}, {"train": Split(2, [{"n": 5}])})
    assert RecordReader(tmp_path / "x", "train").read(0) == {"n": 1}
    with pytest.raises(ValueError, match="lacks n"):
        write_dataset(tmp_path / "x", card, {"n": "int"}, {"train": Split(1, [{}])})
