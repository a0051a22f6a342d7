"""A set is prepared from its layout: what is listed, used and left out is told."""

import pytest

from hsmtss_jax.cli.main import main
from hsmtss_jax.data.preparation.item import Item, Layout
from hsmtss_jax.data.records import RecordReader
from tests.data.preparation.sounds import (
    contents,
    left_out,
    prepare_set,
    prepared,
    report_of,
    write_sounds,
    write_text,
)


def layout(*items):
    return Layout(
        name="made_up",
        title="a set",
        read=lambda place: iter(items),
        licence="free",
        expected={"train": 3},
        paper={"all": 9},
    )


def item(name, split="train", **more):
    return Item(id=name, split=split, path=f"{name}.wav", label="noise", **more)


def test_what_is_listed_used_and_left_out(tmp_path):
    root = tmp_path / "in"
    write_sounds(root, "a.wav", "b.wav")
    write_text(root / "c.wav", "no audio")
    made = layout(item("a"), item("a"), item("c"), item("d", found=False), item("b", "test"))
    report = prepare_set(made, root)
    assert {name: row["split"] for name, row in prepared(root).items()} == {
        "a": "train",
        "b": "test",
    }
    assert [(line[0], line[2]) for line in left_out(root)] == [
        ("a.wav", "twice"),
        ("c.wav", "damaged"),
        ("d.wav", "missing"),
    ]
    assert report.listed == {"train": 4, "test": 1}
    assert report.differences == [
        "train: the tables list 4, the official ones are 3",
        "all: written 2, HSM-TSS's are 9",
    ]
    assert report_of(root)["set"] == "made_up"
    assert RecordReader(tmp_path / "prepared", "train").read(0)["sample_rate"] == 16000


def test_splits_can_be_chosen(tmp_path):
    write_sounds(tmp_path / "in", "a.wav", "b.wav")
    prepare_set(layout(item("a"), item("b", "test")), tmp_path / "in", splits=("test",))
    assert list(prepared(tmp_path / "in")) == ["b"]


def test_recordings_of_other_sets_are_held_out(tmp_path):
    write_sounds(tmp_path / "in", "a.wav", "b.wav", "c.wav")
    first = layout(item("a", "test", group="youtube:1"), item("b"))
    prepare_set(first, tmp_path / "in", out=tmp_path / "first")
    second = layout(item("b", group="youtube:1"), item("c", group="youtube:2"))
    prepare_set(second, tmp_path / "in", held_out=(tmp_path / "first",))
    assert list(prepared(tmp_path / "in")) == ["c"]


def test_nothing_to_prepare_is_a_line_and_no_folder(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError, match=r"has nothing of made_up: see data/made_up/README"):
        prepare_set(layout(), tmp_path / "in")
    message = (
        r"no clip of made_up .* could be used \(1 missing\), the first being a.wav: no such file"
    )
    with pytest.raises(ValueError, match=message):
        prepare_set(layout(item("a", found=False)), tmp_path / "in")
    assert not (tmp_path / "prepared").exists()


def test_the_command_prepares_a_folder(tmp_path, capsys):
    write_sounds(tmp_path / "in", "dog/barks.wav", "cat/meows.wav")
    argv = ["data", "prepare", "folder", str(tmp_path / "in"), "-o", str(tmp_path / "prepared")]
    assert main(argv) == 0
    assert "listed" in capsys.readouterr().out
    before = contents(tmp_path / "prepared")
    assert main(argv) == 0 and contents(tmp_path / "prepared") == before
    assert main(["data", "prepare", "nothing", "x"]) != 0
    assert "choose one of" in capsys.readouterr().err
