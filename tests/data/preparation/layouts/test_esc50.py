"""ESC-50: both editions, a test set only."""

import pytest

from hsmtss_jax.data.preparation.layouts.esc50 import LAYOUT, class_number
from tests.data.preparation.sounds import prepare_set, prepared, write_sounds


def test_the_published_edition(copy):
    copy.prepare()
    bird = copy.clips["1-100038-A-14"]
    assert bird["captions"] == ["chirping birds"] and bird["split"] == "test"
    assert bird["group"] == "freesound:100038"


def test_as_the_paper_trains_on_it(copy):
    copy.prepare("train")
    assert {clip["split"] for clip in copy.clips.values()} == {"train"} and len(copy.clips) == 3


def test_the_edition_of_2015(tmp_path):
    root = tmp_path / "esc"
    write_sounds(root, "101 - Dog/1-100032-A.wav", "510 - Hand saw/5-9-B.wav", "other/x.wav")
    prepare_set(LAYOUT, root)
    assert sorted(prepared(root)) == ["1-100032-A-0", "5-9-B-49"]


def test_classes():
    assert class_number("101 - Dog") == 0 and class_number("510 - Hand saw") == 49
    with pytest.raises(ValueError, match="is no class of ESC-50"):
        class_number("611 - Dog")
