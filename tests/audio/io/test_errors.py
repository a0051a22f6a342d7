"""The error and the warning of audio files, and the reason that their messages give."""

import errno
import os

import pytest
import soundfile

from hsmtss_jax.audio.io.errors import AudioError, AudioWarning, reason


def test_they_are_caught_as_bad_input_and_as_a_users_warning():
    assert issubclass(AudioError, ValueError) and issubclass(AudioWarning, UserWarning)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a.wav"), os.strerror(errno.ENOSPC)),
        (OSError("broken"), "broken"),
        (ValueError("two\n  lines."), "two lines"),
    ],
)
def test_a_reason_is_one_line_without_the_file(error, said):
    assert reason(error) == said


def test_a_reason_of_libsndfile_is_its_own_words(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"hello" * 100)
    with pytest.raises(soundfile.LibsndfileError) as caught:
        soundfile.SoundFile(tmp_path / "a.wav")
    assert reason(caught.value) == "Format not recognised"
