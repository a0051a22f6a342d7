"""MPEG audio: the headers of its frames tell the length."""

import subprocess
import sys

import numpy as np
import pytest

from tests.audio.io.sounds import encoded, patched, tone

RATE = 44100
X = tone(RATE, 2, RATE)
FRAME = 1152


def mp3(mode: str = "CONSTANT", x: np.ndarray = X, rate: int = RATE) -> bytes:
    return encoded("MP3", None, x, rate, bitrate_mode=mode)


def frame_size(content: bytes) -> int:
    """Return the size of the first frame, MPEG 1 layer III at 44.1 kHz."""
    rates = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
    return 144000 * rates[content[2] >> 4] // RATE + (content[2] >> 1 & 1)


def without_tag(content: bytes) -> bytes:
    """Return a file as it is written to a pipe: without its Info frame."""
    assert b"Xing" in content[:100] or b"Info" in content[:100]
    return content[frame_size(content) :]


@pytest.mark.parametrize("mode", ["CONSTANT", "AVERAGE", "VARIABLE"])
def test_with_and_without_a_tag(read, mode):
    content = mp3(mode)
    tagged, bare = read(content), read(without_tag(content))
    assert len(tagged.samples) == RATE and tagged.notes == bare.notes == []
    assert np.corrcoef(tagged.samples[:, 0], X[:, 0])[0, 1] > 0.99
    assert len(bare.samples) % FRAME == 0 and 0 < len(bare.samples) - RATE < 3 * FRAME
    delay = len(bare.samples) - RATE
    shifted = max(
        np.corrcoef(bare.samples[d : d + 30000, 0], X[:30000, 0])[0, 1] for d in range(900, delay)
    )
    assert shifted > 0.99


@pytest.mark.parametrize("first", [mp3("VARIABLE"), without_tag(mp3("VARIABLE"))])
@pytest.mark.parametrize("second", [mp3("VARIABLE"), without_tag(mp3("VARIABLE"))])
@pytest.mark.parametrize("between", [b"", b"TAG" + b"x" * 125, b"ID3\3\0\0\0\0\1\0" + bytes(128)])
def test_joined(read, first, second, between):
    got = read(first + between + second)
    least = len(read(first).samples) + len(read(second).samples)
    assert least <= len(got.samples) <= least + 3 * FRAME
    assert got.notes == []


def test_joined_of_other_rates(read):
    got = read(mp3() + encoded("MP3", None, tone(16000), 16000))
    assert got.samples.shape == (2 * RATE, 2) and "differ in rate or channels" in got.notes[0]


def test_cut_short(read):
    content = mp3()
    got = read(content[: len(content) // 2])
    assert 0.4 * RATE < len(got.samples) < 0.6 * RATE
    assert any("samples are missing" in note for note in got.notes)
    assert np.corrcoef(got.samples[:15000, 0], X[:15000, 0])[0, 1] > 0.99
    bare = without_tag(content)
    assert "cut short within a frame" in read(bare[: len(bare) // 2 + 5]).notes[0]


def test_tags_and_bytes_around(read):
    bare = without_tag(mp3())
    want = read(bare).samples
    ape = b"APETAGEX" + (2000).to_bytes(4, "little") + (52).to_bytes(4, "little")
    ape += (1).to_bytes(4, "little")
    header, footer = (ape + flags + bytes(8) for flags in (b"\0\0\0\xa0", b"\0\0\0\x80"))
    for before, behind in (
        (b"ID3\3\0\0\0\0\1\0" + bytes(128), b"TAG" + b"x" * 125),
        (b"", header + bytes(20) + footer),
        (bytes(3000), bytes(3000)),
        (b"hello" * 200, b""),
    ):
        got = read(before + bare + behind)
        np.testing.assert_array_equal(got.samples, want)
        assert got.notes == []
    assert "no sound" in read(bare + b"hello" * 500).notes[0]


def test_started_within_a_stream(read):
    bare = without_tag(mp3())
    got = read(bare[len(bare) // 3 :])
    assert 0.6 * RATE < len(got.samples) < 0.75 * RATE
    whole = read(bare).samples
    np.testing.assert_allclose(got.samples[-9000:], whole[-9000:], atol=1e-3)


def test_damage_is_told(read):
    bare = without_tag(mp3())
    got = read(patched(bare, len(bare) // 2, b"\x11" * 3000))
    assert "damaged" in got.notes[0] and len(got.samples) > 0.7 * RATE


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 24000, 32000, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_rates(read, rate, channels):
    got = read(encoded("MP3", None, tone(rate, channels), rate))
    assert got.samples.shape == (rate, channels) and got.notes == []


@pytest.mark.parametrize("copies", [1, 2])
def test_layer_2(read, ffmpeg, copies):
    got = read(copies * ffmpeg("-c:a", "mp2", "-b:a", "128k", name="a.mp2", x=X, rate=RATE))
    assert len(got.samples) % FRAME == 0 and 0 < len(got.samples) - copies * RATE < 9 * FRAME
    assert got.info.subtype == "MPEG_LAYER_II" and got.notes == []


def test_the_decoder_prints_nothing(tmp_path):
    content = bytearray(mp3())
    for at in range(2000, len(content), 997):
        content[at] ^= 0x5A
    (tmp_path / "a.mp3").write_bytes(content)
    (tmp_path / "b.mp3").write_bytes(b"<html><body>404 not found</body></html>\n" * 30)
    code = (
        "import sys, warnings; warnings.simplefilter('ignore'); from hsmtss_jax.audio import io\n"
        "for path in sys.argv[1:]:\n"
        "    try: io.read_audio(path)\n"
        "    except io.AudioError as error: print(error)"
    )
    files = [str(tmp_path / name) for name in ("a.mp3", "b.mp3")]
    run = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True)
    assert run.returncode == 0 and run.stderr == "" and run.stdout.count("\n") == 1
    assert "not an audio file" in run.stdout
