"""A reader finds the old content or the new, and nothing is left behind."""

import os
import stat

import pytest

from hsmtss_jax.atomic import replace_file, replace_folder, write_text


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "report.json"
    with replace_file(path) as work:
        work.write_text("new")
        assert work.parent == tmp_path and not path.exists()
    assert path.read_text() == "new" and names(tmp_path) == ["report.json"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_keeps_the_old_file(tmp_path, error):
    path = tmp_path / "report.json"
    write_text(path, "old")
    with pytest.raises(type(error)), replace_file(path) as work:
        work.write_text("half")
        raise error
    assert path.read_text() == "old" and names(tmp_path) == ["report.json"]


def test_files_and_folders_have_the_rights_of_new_ones(tmp_path):
    mask = os.umask(0o027)
    try:
        write_text(tmp_path / "file", "é")
        with replace_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(mask)
    assert (tmp_path / "file").read_bytes() == "é".encode()
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o750


def test_a_folder_takes_the_place_of_the_old_one(tmp_path):
    for content in ("old", "new"):
        with replace_folder(tmp_path / "deep" / "folder") as work:
            (work / content).touch()
    assert names(tmp_path) == ["deep", "folder", "new"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_keeps_the_old_folder(tmp_path, error):
    with replace_folder(tmp_path / "folder") as work:
        (work / "old").touch()
    with pytest.raises(type(error)), replace_folder(tmp_path / "folder") as work:
        (work / "new").touch()
        raise error
    assert names(tmp_path) == ["folder", "old"]
