"""Ogg: chained streams, streams beside each other, streams without an end."""

import numpy as np
import pytest

from tests.audio.io.sounds import RATE, encoded, patched, tone

X = tone()
CODECS = ["VORBIS", "OPUS"]


@pytest.mark.parametrize("subtype", CODECS)
def test_chained(read, subtype):
    one = encoded("OGG", subtype)
    single = read(one)
    assert len(single.samples) == 24000 and single.notes == []
    got = read(one + one)
    np.testing.assert_array_equal(got.samples, np.concatenate([single.samples] * 2))
    assert got.notes == [] and got.info.format == "OGG" and got.info.subtype == subtype


def test_chained_with_another_kind(read):
    got = read(encoded("OGG", "VORBIS") + encoded("OGG", "VORBIS", tone(16000, 2), 2 * RATE))
    assert got.samples.shape == (32000, 1) and "differ in rate or channels" in got.notes[0]
    assert read(encoded("OGG", "VORBIS") + encoded("OGG", "OPUS")).info.frames == 48000


@pytest.mark.parametrize("subtype", CODECS)
def test_cut_short(read, subtype):
    one = encoded("OGG", subtype)
    got = read(one[: len(one) * 4 // 5])
    assert 3000 < len(got.samples) < 24000
    assert "its last page is missing" in got.notes[0]


@pytest.mark.parametrize("subtype", CODECS)
def test_other_bytes_behind(read, subtype):
    one = encoded("OGG", subtype)
    assert len(read(one + bytes(500)).samples) == 24000


@pytest.mark.parametrize("subtype", CODECS)
def test_damage_is_told(read, subtype):
    one = encoded("OGG", subtype, tone(160_000))  # several pages
    got = read(patched(one, len(one) // 2, bytes(300)))
    assert any("damaged" in note for note in got.notes)


@pytest.mark.parametrize("subtype", CODECS)
@pytest.mark.parametrize("samples", [1, 100])
def test_short(read, subtype, samples):
    assert len(read(encoded("OGG", subtype, tone(samples))).samples) == samples


def test_opus_at_48_khz_without_its_pre_skip(read, ffmpeg):
    x = tone(48000, 2, 48000)
    got = read(ffmpeg("-c:a", "libopus", name="a.opus", x=x, rate=48000))
    assert got.samples.shape == (48000, 2) and got.info.sample_rate == 48000
    assert np.corrcoef(got.samples[:, 0], x[:, 0])[0, 1] > 0.95


def test_flac_in_ogg(read, ffmpeg):
    content = ffmpeg("-c:a", "flac", name="a.oga")
    got = read(content)
    np.testing.assert_allclose(got.samples, X, atol=1e-4)
    assert got.info.format == "OGG" and got.notes == []
    cut = read(content[: len(content) // 2])
    np.testing.assert_allclose(cut.samples, X[: len(cut.samples)], atol=1e-4)
    assert cut.notes and len(cut.samples) > 4000


def test_a_film_beside_the_sound(read, ffmpeg):
    picture = ("-f", "lavfi", "-i", "testsrc=d=1.5", "-map", "0:a", "-map", "1:v")
    got = read(ffmpeg(*picture, "-c:v", "libtheora", "-c:a", "libvorbis", name="a.ogv"))
    assert len(got.samples) == 24000 and got.info.subtype == "VORBIS"
