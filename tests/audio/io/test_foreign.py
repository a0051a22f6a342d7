"""What libsndfile lacks: through ffmpeg or PyAV, or one line that says what to install."""

import pytest

from hsmtss_jax.audio.io import AudioError
from hsmtss_jax.audio.io.foreign import find_backend

HEADS = {
    "m4a": b"\0\0\0\x20ftypM4A \0\0\0\0",
    "mkv": b"\x1aE\xdf\xa3" + bytes(60),
    "wma": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
    "amr": b"#!AMR\n",
    "aac": b"\xff\xf1\x50\x80\x2e\x7f\xfc",
    "ac3": b"\x0b\x77" + bytes(60),
}


@pytest.mark.parametrize("name", HEADS)
def test_one_line_says_what_to_install(read, no_ffmpeg, name):
    assert find_backend() is None
    with pytest.raises(AudioError, match="ffmpeg program on PATH or `pip install av`"):
        read(HEADS[name] + bytes(300), f"a.{name}")


@pytest.mark.parametrize("content", [b"<html>404</html>\n" * 30, b"\xff" * 9999, bytes(9999)])
def test_no_sound_is_no_question_of_ffmpeg(read, no_ffmpeg, content):
    with pytest.raises(AudioError, match="not an audio file") as caught:
        read(content, "a.mp3")
    assert "ffmpeg" not in str(caught.value)
