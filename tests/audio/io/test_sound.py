"""What a file holds: pieces of several decoders as one sound."""

import numpy as np
import pytest

from hsmtss_jax.audio.io.errors import AudioError
from hsmtss_jax.audio.io.sound import Sound, inspect
from tests.audio.io.sounds import encoded, tone


def test_pieces_of_other_rates_and_channels(tmp_path):
    pieces = []
    for name, x, rate in (("a", tone(), 16000), ("b", tone(9000, 2), 8000), ("c", tone(50), 44100)):
        (tmp_path / name).write_bytes(encoded("WAV", "FLOAT", x, rate))
        pieces += inspect(tmp_path / name).pieces
    sound = Sound(pieces, [], "WAV", "FLOAT")
    assert sound.frames == 24000 + 18000 + 18 and sound.channels == 1
    whole = np.concatenate(list(sound.blocks(1000)))
    assert whole.shape == (sound.frames, 1)
    np.testing.assert_allclose(whole[:24000], tone(), atol=1e-6)
    for start, stop in ((23990, 24010), (30000, 42018), (42010, 42017)):
        part = np.concatenate(list(sound.blocks(700, start, stop)))
        np.testing.assert_allclose(part, whole[start:stop], atol=1e-6)


def test_unreadable(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(AudioError, match="empty file"):
        inspect(tmp_path / "a.wav")
    (tmp_path / "a.wav").write_bytes(encoded("FLAC")[:60])
    with pytest.raises(AudioError, match=r"a\.wav: "):
        inspect(tmp_path / "a.wav")
