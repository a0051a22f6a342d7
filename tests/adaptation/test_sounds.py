"""A folder of one's own becomes a data set with recordings that are held out."""

import pytest

from hsmtss_jax.adaptation.sounds import divided, prepare_sounds
from hsmtss_jax.data.preparation.item import Item
from hsmtss_jax.data.records import read_index
from tests.adaptation.conftest import write_sounds


def items(count, split="train"):
    return [Item(id=f"{i}", split=split, path=f"{i}.wav", group=f"g{i}") for i in range(count)]


def test_recordings_are_held_out(sounds, tmp_path):
    report = prepare_sounds(sounds, None, tmp_path / "set", 0.2)
    assert report.clips == {"train": 4, "validation": 2}
    row = read_index(tmp_path / "set", "validation")[0]
    assert row["captions"] == ["a siren wails", "siren"] and row["label"] == "siren"


def test_a_table_gives_the_captions(sounds, tmp_path):
    table = tmp_path / "captions.csv"
    lines = [f"siren/a siren wails_{i:02d}.wav,an ambulance passes" for i in range(6)]
    table.write_text("\n".join(["file,caption", *lines]))
    prepare_sounds(sounds, table, tmp_path / "set", 0.5)
    found = read_index(tmp_path / "set", "train")
    assert len(found) == 3 and found[0]["captions"] == ["an ambulance passes"]


def test_a_growing_folder_keeps_what_it_held_out():
    few, more = divided(items(10), 0.3), divided(items(11), 0.3)
    held = [{each.id for each in found if each.split != "train"} for found in (few, more)]
    assert len(held[0]) == 3 and len(held[0] & held[1]) >= 2


def test_what_the_folder_says_holds():
    given = [*items(3), *(Item(id="x", split="test", path="x.wav", group="x"),)]
    assert [each.split for each in divided(given, 0.5)] == ["train"] * 3 + ["validation"]


def test_clips_of_a_recording_stay_together():
    given = [Item(id=f"{i}", split="train", path=f"{i}.wav", group=f"{i // 4}") for i in range(40)]
    by_group = {}
    for each in divided(given, 0.2):
        by_group.setdefault(each.group, set()).add(each.split)
    assert all(len(splits) == 1 for splits in by_group.values())


def test_too_few_recordings(tmp_path):
    folder = write_sounds(tmp_path, ["a.wav", "b.wav", "c.wav"])
    with pytest.raises(ValueError, match="too few recordings to train on, 1 of at least 2"):
        prepare_sounds(folder, None, tmp_path / "set", 0.2)


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        prepare_sounds(tmp_path / "none", None, tmp_path / "set", 0.2)
