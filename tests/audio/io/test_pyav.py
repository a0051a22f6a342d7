"""The PyAV package decodes what ffmpeg decodes, where there is no ffmpeg program."""

import numpy as np
import pytest

from hsmtss_jax.audio.io import AudioError
from tests.audio.io.sounds import tone

pytest.importorskip("av")


@pytest.fixture
def encoded_by_ffmpeg(ffmpeg, monkeypatch):
    def run(*options, **more):
        content = ffmpeg(*options, **more)
        monkeypatch.setenv("PATH", "")
        return content

    return run


def test_lossless(read, encoded_by_ffmpeg):
    x = tone(24000, 2)
    got = read(encoded_by_ffmpeg("-c:a", "alac", name="a.m4a", x=x))
    np.testing.assert_allclose(got.samples, x, atol=1e-4)
    assert got.info.format == "MOV" and got.info.subtype == "ALAC" and got.notes == []


def test_lossy(read, encoded_by_ffmpeg):
    got = read(encoded_by_ffmpeg("-c:a", "aac", name="a.m4a"))
    assert 1.49 < got.info.seconds < 1.7 and np.abs(got.samples).max() > 0.2


def test_cut_short(read, encoded_by_ffmpeg):
    content = encoded_by_ffmpeg("-c:a", "aac", "-movflags", "+faststart", name="a.m4a")
    got = read(content[: len(content) * 2 // 3])
    assert 0.4 < got.info.seconds < 1.2 and "cut short or damaged" in got.notes[0]


def test_no_sound(read, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AudioError, match="not an audio file"):
        read(b"hello" * 100)
