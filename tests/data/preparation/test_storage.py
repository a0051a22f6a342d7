"""Files by path and by address: whole or not at all, copies where a local file is needed."""

import uuid

import pytest

from hsmtss_jax.data.preparation import storage


@pytest.fixture(params=["local", "remote"])
def place(request, tmp_path):
    if request.param == "local":
        return str(tmp_path / "in")
    pytest.importorskip("fsspec")
    return f"memory://{uuid.uuid4().hex}"


def test_written_read_found_and_removed(place):
    path = storage.join(place, "a", "b.wav")
    assert path.endswith("/a/b.wav") and not storage.exists(path)
    storage.write_text(path, "sound")
    assert storage.exists(path) and storage.read_bytes(path) == b"sound"
    with storage.reading(path) as local:
        assert local.name == "b.wav" and local.read_bytes() == b"sound"
    storage.remove(place)
    assert not storage.exists(path)


def test_what_fails_is_not_there(place):
    path = storage.join(place, "c.txt")
    with pytest.raises(ZeroDivisionError), storage.writing(path) as local:
        local.write_text("half")
        raise ZeroDivisionError
    assert not storage.exists(path)


def test_fetched(place, tmp_path):
    storage.write_text(storage.join(place, "d.txt"), "d")
    storage.fetch(storage.join(place, "d.txt"), tmp_path / "e.txt")
    assert (tmp_path / "e.txt").read_text() == "d"


def test_found_below_an_address():
    pytest.importorskip("fsspec")
    place = f"memory://{uuid.uuid4().hex}"
    for name in ("b/x.wav", "a.wav"):
        storage.write_text(storage.join(place, name), "")
    assert list(storage.find(place)) == ["a.wav", "b/x.wav"]


def test_an_unknown_address_is_a_line():
    pytest.importorskip("fsspec")
    with pytest.raises(ValueError, match="nowhere"):
        storage.exists("nowhere://x")
