"""What every decoder of a stream keeps: its exact length, and its samples from any one on."""

import contextlib

import numpy as np
import pytest

from hsmtss_jax.audio.io.foreign import Facts, ForeignPiece, Opened
from hsmtss_jax.audio.io.foreign import measure as measure_foreign
from hsmtss_jax.audio.io.layout import Stream
from hsmtss_jax.audio.io.piece import Damaged, Piece
from hsmtss_jax.audio.io.sndfile import measure
from hsmtss_jax.audio.io.view import View
from tests.audio.io.sounds import RATE, encoded, tone


class Memory:
    """A decoder of a sound in memory, in blocks of 4096."""

    def __init__(self, sound: np.ndarray) -> None:
        self.sound = sound

    def available(self) -> bool:
        return True

    def facts(self, path) -> Facts:
        return Facts("mem", "pcm", 1, len(self.sound) / RATE)

    @contextlib.contextmanager
    def decode(self, path, start=0, stop=None):
        part = self.sound[start:stop]
        blocks = (part[at : at + 4096] for at in range(0, len(part), 4096))
        yield Opened(RATE, part.shape[1], blocks, lambda: None)


@pytest.fixture(params=["sndfile", "foreign"])
def piece(request, tmp_path) -> Piece:
    """The tone in stereo, by each decoder."""
    path = tmp_path / "a.wav"
    if request.param == "foreign":
        return measure_foreign(path, Memory(tone(channels=2)))[0]
    path.write_bytes(encoded("WAV", "FLOAT", tone(channels=2)))
    return measure(Stream(View.whole(path)))[0]


def test_a_piece_says_what_it_is(piece):
    assert (piece.sample_rate, piece.channels, piece.frames) == (RATE, 2, 24000)
    assert (piece.format, piece.subtype) in (("WAV", "FLOAT"), ("MEM", "PCM"))


@pytest.mark.parametrize(("start", "stop"), [(0, 24000), (0, 1), (5000, 12001), (23999, 24000)])
def test_blocks_are_any_part_of_it_to_the_sample(piece, start, stop):
    blocks = list(piece.blocks(700, start, stop))
    assert all(block.dtype == np.float32 and 0 < len(block) <= 700 for block in blocks)
    np.testing.assert_allclose(np.concatenate(blocks), tone(channels=2)[start:stop], atol=1e-6)


def test_silence_stands_for_what_is_not_there_any_more(tmp_path):
    short = Memory(tone(1000))
    piece = ForeignPiece(short, tmp_path / "a", RATE, 1, 1500, "MEM", "PCM")
    whole = np.concatenate(list(piece.blocks(700, 0, 1500)))
    assert whole.shape == (1500, 1) and whole[:1000].any() and not whole[1000:].any()


def test_a_stream_without_a_sample_is_damaged(tmp_path):
    with pytest.raises(Damaged, match="nothing of it can be decoded"):
        measure_foreign(tmp_path / "a", Memory(tone(0)))
