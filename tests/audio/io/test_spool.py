"""Copies of what can be read only once."""

import gc
import io as streams
import subprocess
import sys

import pytest

from hsmtss_jax.audio import io
from hsmtss_jax.audio.io.spool import Spooled, local_path
from tests.audio.io.sounds import encoded


def test_a_stream_becomes_a_file(tmp_path):
    spooled = Spooled(streams.BytesIO(encoded("FLAC")), ".flac")
    path = spooled.path
    assert io.probe(path).frames == 24000 and path.suffix == ".flac"
    del spooled
    gc.collect()
    assert not path.exists()


def test_a_stream_is_put_back_where_it_was(tmp_path):
    stream = streams.BytesIO(b"12345")
    stream.seek(2)
    for _ in range(2):
        assert Spooled(stream).path.name.startswith("hsmtss-") and stream.tell() == 2
    (tmp_path / "a").write_text("text")
    with (tmp_path / "a").open() as text, pytest.raises(ValueError, match="binary mode"):
        Spooled(text)


def test_a_failed_copy_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    class Broken(streams.BytesIO):
        def read(self, size=-1):
            raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        Spooled(Broken())
    assert not list(tmp_path.iterdir())


def test_a_file_stands_for_itself(tmp_path):
    (tmp_path / "a").touch()
    assert local_path(tmp_path / "a") == tmp_path / "a"


def test_standard_input(tmp_path):
    code = (
        "from hsmtss_jax.audio import io; spooled = io.spool_stdin()\n"
        "print(io.probe(spooled.path).frames, spooled.path)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        input=encoded("WAV"),
        capture_output=True,
        check=True,
        env={"TMPDIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
    )
    assert run.stdout.startswith(b"24000 " + bytes(tmp_path)) and not list(tmp_path.iterdir())
