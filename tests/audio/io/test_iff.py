"""AIFF, AU and CAF: sizes in headers are estimates."""

import numpy as np
import pytest

from hsmtss_jax.audio.io import AudioError
from tests.audio.io.sounds import encoded, patched, tone

X = tone()


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24", "FLOAT", "ULAW"])
@pytest.mark.parametrize("size", [bytes(4), b"\xff" * 4])
def test_aiff(read, subtype, size):
    content = encoded("AIFF", subtype)
    good = read(content)
    sound, common = content.index(b"SSND"), content.index(b"COMM")
    open_end = patched(patched(patched(content, 4, size), common + 10, size), sound + 4, size)
    got = read(open_end)
    assert good.notes == got.notes == [] and got.info == good.info
    np.testing.assert_array_equal(got.samples, good.samples)
    np.testing.assert_allclose(got.samples, X, atol=0.02)
    cut = read(content[: len(content) // 2 + 1])
    np.testing.assert_array_equal(cut.samples, good.samples[: len(cut.samples)])
    assert (
        11900 < len(cut.samples) < 12100 and f"{24000 - len(cut.samples)} of 24000" in cut.notes[0]
    )


def test_aiff_little_endian_and_block_codecs(read):
    np.testing.assert_allclose(
        read(encoded("AIFF", "PCM_16", endian="LITTLE")).samples, X, atol=1e-4
    )
    assert read(encoded("AIFF", "GSM610")).info.frames == 24000
    assert read(encoded("AIFF", "IMA_ADPCM")).info.frames == 24000


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW"])
@pytest.mark.parametrize("endian", ["BIG", "LITTLE"])
def test_au(read, subtype, endian):
    content = encoded("AU", subtype, endian=endian)
    good = read(content)
    for size in (bytes(4), b"\xff" * 4):
        got = read(patched(content, 8, size))
        assert got.notes == [] and got.info == good.info
        np.testing.assert_array_equal(got.samples, good.samples)
    assert (
        len(read(patched(content, 8, b"\0\0\x10\0"[:: 1 if endian == "BIG" else -1])).samples)
        == 24000
    )
    assert "cut short" in read(content[:20001]).notes[0]


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_caf(read, subtype):
    content = encoded("CAF", subtype)
    good, at = read(content), content.index(b"data", 4000)
    for size in (bytes(8), b"\xff" * 8):
        got = read(patched(content, at + 4, size))
        assert got.notes == [] and got.info == good.info
        np.testing.assert_array_equal(got.samples, good.samples)
    cut = read(content[:20001])
    np.testing.assert_array_equal(cut.samples, good.samples[: len(cut.samples)])
    assert "cut short" in cut.notes[0]
    assert read(encoded("CAF", "ALAC_16")).info.frames == 24000


def test_headers_that_lie_are_a_line(read):
    """Samples that would begin behind the end, channels below zero, a header that is cut off."""
    aiff, au = encoded("AIFF"), encoded("AU")
    common = aiff.index(b"COMM") + 8
    behind = aiff[:12] + aiff[aiff.index(b"SSND") :] + aiff[common - 8 : common + 3]
    for content in (patched(au, 4, b"\x7f" * 4), patched(aiff, common, b"\xff\xff"), behind):
        with pytest.raises(AudioError):
            read(content)
