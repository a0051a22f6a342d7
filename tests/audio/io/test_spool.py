"""Copies of what can be read only once."""

import gc
import io as streams
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hsmtss_jax.atomic import sweep
from hsmtss_jax.audio import io
from hsmtss_jax.audio.io.spool import Spooled, local_path
from tests.audio.io.sounds import encoded

ROOT = Path(__file__).resolve().parents[3]


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
        assert Spooled(stream).path.name.startswith(".sound.hsmtss-") and stream.tell() == 2
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


COPIES = """
import sys, time
from hsmtss_jax.audio.io import Spooled
copy = Spooled(open(sys.argv[1], "rb"), ".wav")
print("copied", flush=True)
time.sleep(60)
"""


def test_a_copy_of_a_killed_process_is_swept(tmp_path):
    """By the next one; nobody else may read a copy."""
    folder, source = tmp_path / "tmp", tmp_path / "in.wav"
    folder.mkdir()
    source.write_bytes(encoded("WAV"))
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", COPIES, str(source)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"copied\n"
        (copy,) = folder.iterdir()
        assert copy.suffix == ".wav" and copy.stat().st_mode & 0o077 == 0
        process.kill()
    assert sweep(folder) == [copy]
