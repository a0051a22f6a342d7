"""Which recordings a command line names."""

import os
from pathlib import Path

import pytest

from hsmtss_jax.cli.discovery import Input, PassedOver, find_inputs, split_instruction
from tests.cli.conftest import write


def test_the_last_item_is_the_instruction(tmp_path):
    assert split_instruction(["a.wav", "b", "remove x"], []) == (["a.wav", "b"], ["remove x"])
    assert split_instruction(["a.wav", "b"], ["p"]) == (["a.wav", "b"], ["p"])
    for items in ([], ["a.wav"], ["remove x", "a.wav"], ["a.wav", str(tmp_path)]):
        with pytest.raises(ValueError, match="give recordings and an instruction"):
            split_instruction(items, [])


def test_folders_are_walked(tmp_path):
    for name in ("b.WAV", "a.flac", "sub/c.wav", ".hidden.wav", ".git/d.wav", "out/e.wav"):
        write(tmp_path / name, format="FLAC" if name.endswith("flac") else "WAV")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "again").symlink_to(tmp_path / "a.flac")
    asked = [str(tmp_path), str(tmp_path / "empty"), str(tmp_path / "again"), "absent.wav"]
    with pytest.warns(
        PassedOver, match=r": passed over, no recordings by their names: again, notes.txt$"
    ):
        found, problems = find_inputs(asked, tmp_path / "out")
    assert [(each.path.name, str(each.folder)) for each in found] == [
        *(("a.flac", "."), ("b.WAV", "."), ("c.wav", "sub"), ("absent.wav", ".")),
    ]
    assert [str(problem) for problem in problems] == [
        f"{tmp_path / 'empty'}: no audio files in this folder"
    ]


def test_what_is_passed_over_is_counted(tmp_path):
    write(tmp_path / "a.wav")
    for number in range(5):
        (tmp_path / f"{number}.txt").touch()
    with pytest.warns(PassedOver, match=r"0.txt, 1.txt, 2.txt and 2 more$"):
        assert len(find_inputs([str(tmp_path)])[0]) == 1


def test_standard_input_and_pipes_have_no_folder(tmp_path):
    (found,), _ = find_inputs(["-"])
    assert (found.path.stem, found.beside) == ("stdin", Path())
    os.mkfifo(tmp_path / "pipe")
    assert Input(tmp_path / "pipe").beside == Path()
    assert Input(tmp_path / "a.wav").beside == tmp_path
