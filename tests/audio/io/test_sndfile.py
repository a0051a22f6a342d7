"""libsndfile: true counts, silence for damage."""

import numpy as np
import pytest

from hsmtss_jax.audio.io import AudioWarning
from hsmtss_jax.audio.io.layout import Stream
from hsmtss_jax.audio.io.piece import Damaged
from hsmtss_jax.audio.io.sndfile import measure
from hsmtss_jax.audio.io.view import View
from tests.audio.io.sounds import encoded, tone


@pytest.fixture
def stream(tmp_path):
    def make(content, **more):
        (tmp_path / "a").write_bytes(content)
        return Stream(View.whole(tmp_path / "a"), **more)

    return make


@pytest.mark.parametrize(
    "format_", ["WAV", "FLAC", "OGG", "MP3", "VOC", "SVX", "NIST", "XI", "SDS"]
)
def test_measure_and_read(stream, format_):
    piece, note = measure(stream(encoded(format_)))
    assert piece.frames == 24000 and piece.channels == 1 and note is None
    whole = np.concatenate(list(piece.blocks(5000, 0, 24000)))
    for start, stop in ((0, 1), (9000, 24000), (23999, 24000)):
        part = np.concatenate(list(piece.blocks(700, start, stop)))
        np.testing.assert_allclose(part, whole[start:stop], atol=1e-6)


def test_cut_streams_are_counted(stream):
    content = encoded("FLAC")
    piece, note = measure(stream(content[: len(content) // 2]))
    assert 8000 < piece.frames < 16000
    assert f"the last {24000 - piece.frames} of 24000 samples are missing" in note
    got = np.concatenate(list(piece.blocks(5000, 0, piece.frames)))
    np.testing.assert_allclose(got, tone()[: piece.frames], atol=1e-4)


def test_silence_for_what_is_not_there(stream):
    piece, _ = measure(stream(encoded("OGG")))
    with pytest.warns(AudioWarning, match="silence stands for 500 samples"):
        blocks = list(piece.blocks(5000, 0, 24500))
    assert sum(map(len, blocks)) == 24500 and not blocks[-1][-500:].any()


def test_no_sound(stream):
    with pytest.raises(Damaged, match="not recognised"):
        measure(stream(b"hello" * 100))
