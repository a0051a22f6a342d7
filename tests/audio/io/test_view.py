"""Views of a file: parts and literal bytes as one file."""

import pytest

from hsmtss_jax.audio.io.view import Range, View, find, join


@pytest.fixture
def view(tmp_path):
    (tmp_path / "a").write_bytes(bytes(range(200)))
    return View.whole(tmp_path / "a")


def content(view):
    with view.open() as file:
        return file.read(10**6)


def test_cut_patch_and_join(view):
    want = bytes(range(200))
    assert view.size == 200 and content(view) == want
    assert content(view.cut(10, 20)) == want[10:20] and view.cut(190, 999).size == 10
    assert content(view.cut(20).patched(5, b"xyz")) == want[20:25] + b"xyz" + want[28:]
    joined = join(view.cut(0, 3), b"--", view.cut(100, 103))
    assert content(joined) == b"\0\1\2--def" and content(joined.cut(2, 6)) == b"\2--d"
    assert content(View(view.path, [Range(5, 0), b""])) == b""


def test_positions(view):
    joined = join(view.cut(0, 50), b"*" * 50, view.cut(50))
    with joined.open() as file:
        assert file.seek(-10, 2) == 240 and file.read(99) == bytes(range(190, 200))
        assert file.seek(45) == file.tell() == 45
        buffer = bytearray(60)
        assert file.readinto(memoryview(buffer)) == 60 and file.tell() == 105
        assert bytes(buffer) == bytes(range(45, 50)) + b"*" * 50 + bytes(range(50, 55))
        assert file.seek(-5, 1) == 100 and file.at(0, 2) == b"\0\1"


def test_zeros_to_a_claimed_size(view):
    with view.open(300) as file:
        assert file.seek(0, 2) == 300 and file.at(198, 200) == bytes([198, 199]) + bytes(100)
        assert file.at(250, 10) == bytes(10)


def test_errors_of_the_system_are_kept(view):
    with view.open() as file:
        pass
    with view.open() as file:
        file.close()
        file.error = None
        with pytest.raises(ValueError, match="closed"):
            file.read(5)


def test_find(tmp_path):
    (tmp_path / "a").write_bytes(bytes(300_000) + b"needle" + bytes(10))
    with View.whole(tmp_path / "a").open() as file:
        assert find(file, b"needle", 0, 300_016) == 300_000
        assert find(file, b"needle", 300_001, 300_016) == -1
        assert find(file, b"needle", 0, 300_003) == -1
