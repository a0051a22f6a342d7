"""Fixtures of the tests of reading."""

import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio import io
from tests.audio.io.sounds import RATE, tone


class Got(NamedTuple):
    """What a file gives: samples [L, C], their description, warnings."""

    samples: np.ndarray
    info: io.AudioInfo
    notes: list[str]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Got]:
    """Write bytes to a file and read it in every way: all must agree, to the sample."""

    def run(content: bytes, name: str = "sound") -> Got:
        path = tmp_path / name
        path.write_bytes(content)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            info = io.probe(path)
            samples = io.read_audio(path).samples
            notes = list(dict.fromkeys(str(w.message) for w in caught))
            assert all(w.category is io.AudioWarning for w in caught)
            third = len(samples) // 3
            for start, stop in (
                (third, third + 100),
                (third, len(samples)),
                (len(samples) - 1, None),
            ):
                blocks = list(io.read_blocks(path, 777, start=start, stop=stop))
                np.testing.assert_allclose(
                    np.concatenate(blocks), samples[start:stop], rtol=0, atol=1e-6
                )
        assert samples.shape == (info.frames, info.channels)
        assert all("\n" not in note and note.startswith(str(path)) for note in notes)
        return Got(samples, info, [note.removeprefix(f"{path}: ") for note in notes])

    return run


@pytest.fixture
def ffmpeg(tmp_path: Path) -> Callable[..., bytes]:
    """Encode the tone with ffmpeg; skips where there is none or it lacks the encoder."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg on PATH")

    def run(*options: str, name: str, x: np.ndarray | None = None, rate: int = RATE) -> bytes:
        source, target = tmp_path / "source.wav", tmp_path / name
        soundfile.write(source, tone() if x is None else x, rate)
        command = ["ffmpeg", "-v", "error", "-y", "-i", str(source), *options, str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if "Unknown encoder" in done.stderr:
            pytest.skip(f"ffmpeg without this encoder: {options}")
        assert done.returncode == 0, done.stderr
        return target.read_bytes()

    return run


@pytest.fixture
def no_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide programs and PyAV."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "av", None)
