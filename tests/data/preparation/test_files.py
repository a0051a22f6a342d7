"""Files are found by name, whatever folders are above them."""

import pytest

from hsmtss_jax.data.preparation.files import FileIndex, table, walk


@pytest.fixture
def root(tmp_path):
    for name in ("dev/a.wav", "eval/a.flac", "eval/deep/b.MP3", "eval/notes.txt", ".hidden/c.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_audio_files_in_order(root):
    assert list(walk(str(root))) == ["dev/a.wav", "eval/a.flac", "eval/deep/b.MP3"]
    with pytest.raises(FileNotFoundError, match="no folder"):
        list(walk(str(root / "nowhere")))


def test_found_by_stem_and_folder(root):
    files = FileIndex(str(root))
    assert files.find("a") == {"path": "dev/a.wav", "found": True}
    assert files.find("a", below="eval")["path"] == "eval/a.flac"
    assert files.has("dev/a.wav") and not files.has("dev/b.wav")
    assert files.find("x", "b")["path"] == "eval/deep/b.MP3"
    assert files.find("x", below="dev") == {"path": "dev/x", "found": False}


def test_a_table_is_found_two_levels_down(root):
    (root / "eval" / "meta").mkdir()
    (root / "eval" / "meta" / "t.csv").touch()
    assert table(root, "s.csv", "t.csv") == root / "eval" / "meta" / "t.csv"
    with pytest.raises(FileNotFoundError, match=r"has no s\.csv or u\.csv: see the set's README"):
        table(root, "s.csv", "u.csv")
