"""FLAC: the frames tell the length."""

import numpy as np
import pytest

from hsmtss_jax.audio.io import AudioWarning, read_audio
from tests.audio.io.sounds import encoded, patched, tone

X = tone()
FLAC = encoded("FLAC", "PCM_16")


def with_total(content: bytes, total: int) -> bytes:
    """Return a file that states another number of samples."""
    kept = int.from_bytes(content[21:26], "big") >> 36 << 36
    return patched(content, 21, (kept | total).to_bytes(5, "big"))


@pytest.mark.parametrize("total", [0, 1000, 24000])
@pytest.mark.parametrize("behind", [b"", b"TAG" + b"x" * 125, bytes(3000)])
def test_length_from_a_pipe(read, total, behind):
    got = read(with_total(FLAC, total) + behind)
    np.testing.assert_allclose(got.samples, X, atol=1e-4)
    assert got.notes == [] and got.info.format == "FLAC"


def test_too_long_a_count(read):
    got = read(with_total(FLAC, 30000))
    np.testing.assert_allclose(got.samples, X, atol=1e-4)
    assert got.notes == ["cut short: 6000 of 30000 samples are missing"]


@pytest.mark.parametrize("total", [0, 24000])
@pytest.mark.parametrize("share", [0.3, 0.66, 0.97])
def test_cut_short(read, total, share):
    got = read(with_total(FLAC, total)[: int(share * len(FLAC))])
    length = len(got.samples)
    np.testing.assert_allclose(got.samples, X[:length], atol=1e-4)
    assert share * 24000 - 6000 < length < 24000
    missing = f"{24000 - length} of 24000 samples are missing"
    assert (missing in got.notes[0]) if total else got.notes == []


@pytest.mark.parametrize("channels", [1, 8])
@pytest.mark.parametrize("samples", [1, 5000])
@pytest.mark.parametrize("rate", [8000, 384000])
def test_shapes(read, channels, samples, rate):
    x = tone(samples, channels)
    content = encoded("FLAC", "PCM_24", x, rate)
    for total in (0, samples):
        got = read(with_total(content, total))
        np.testing.assert_allclose(got.samples, x, atol=1e-6)


def test_damage_is_replaced_by_silence_in_place(tmp_path):
    (tmp_path / "a.flac").write_bytes(patched(FLAC, len(FLAC) // 2, bytes(200)))
    with pytest.warns(AudioWarning, match="silence stands for"):
        samples = read_audio(tmp_path / "a.flac").samples
    wrong = np.abs(samples - X).max(axis=1) > 1e-3
    assert len(samples) == 24000 and 0 < wrong.sum() <= 9000
    assert not samples[wrong].any()


def test_variable_blocks(read, ffmpeg):
    content = ffmpeg("-c:a", "flac", "-frame_size", "1000", name="a.flac")
    got = read(with_total(content, 0))
    np.testing.assert_allclose(got.samples, X, atol=1e-4)
