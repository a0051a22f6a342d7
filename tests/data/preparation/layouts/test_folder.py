"""A folder of one's own: captions in a table, or in the names of files and folders."""

import pytest

from hsmtss_jax.data.preparation.layouts.folder import LAYOUT
from tests.data.preparation.sounds import (
    left_out,
    prepare_set,
    prepared,
    write_sounds,
    write_text,
)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "mine"


def test_names_say_what_is_heard(root):
    write_sounds(
        root,
        "train/animal/dog/a small dog_barking_02.wav",
        "validation/rain/1234.flac",
        "test/Wind.ogg",
    )
    prepare_set(LAYOUT, root)
    clips = prepared(root)
    dog = clips["animal/dog/a small dog_barking_02"]
    assert dog["captions"] == ["a small dog barking", "dog"] and dog["split"] == "train"
    assert dog["label"] == "dog" and dog["tags"] == ["animal", "dog"]
    assert clips["rain/1234"]["captions"] == ["rain"]
    assert clips["rain/1234"]["split"] == "validation"
    assert clips["Wind"]["captions"] == ["wind"] and clips["Wind"]["split"] == "test"


def test_a_table_says_more(root):
    write_sounds(root, "x/1.wav", "2.wav")
    write_text(
        root / "metadata.csv",
        "file,caption_1,caption_2,label,tags,split,license,group",
        "x/1,a dog,barks,dog,animal;dog,val,CC0,one",
        "2.wav,rain falls,,,,train,CC-BY,two",
        "3.wav,gone,,,,train,,",
    )
    prepare_set(LAYOUT, root)
    clips = prepared(root)
    assert clips["x/1"]["captions"] == ["a dog", "barks"] and clips["x/1"]["split"] == "validation"
    assert clips["x/1"]["tags"] == ["animal", "dog"] and clips["x/1"]["licence"] == "CC0"
    assert clips["2"]["label"] == "rain falls" and clips["2"]["group"] == "two"
    assert left_out(root) == [["3", "train", "missing", "no such file"]]


def test_a_table_elsewhere(root, tmp_path):
    write_sounds(root, "1.wav")
    write_text(tmp_path / "t.csv", "fname,caption", "1,rain")
    prepare_set(LAYOUT, root, table=tmp_path / "t.csv")
    assert prepared(root)["1"]["captions"] == ["rain"]
    write_text(tmp_path / "t.csv", "sound,caption", "1,rain")
    with pytest.raises(ValueError, match="no column file or file_name"):
        prepare_set(LAYOUT, root, table=tmp_path / "t.csv")
