"""Bytes of our own in what an encoder writes."""

import errno
import io
import os

import pytest

from hsmtss_jax.audio.io.splice import SplicedFile


@pytest.mark.parametrize(
    ("at", "end", "new", "expected"),
    [
        (0, 0, b"", b"abcdefgh"),
        (0, 0, b"XY", b"XYabcdefgh"),
        (3, 3, b"XY", b"abcXYdefgh"),
        (3, 5, b"XYZ", b"abcXYZfgh"),
        (3, 6, b"", b"abcgh"),
        (2, 6, b"X", b"abXgh"),
        (8, 8, b"XY", b"abcdefghXY"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_new_bytes_take_the_place_of_old_ones(at, end, new, expected, size):
    buffer = io.BytesIO()
    file = SplicedFile(buffer, at, end, new)
    text = b"abcdefgh"
    for start in range(0, len(text), size):
        assert file.write(text[start : start + size]) == len(text[start : start + size])
    assert file.tell() == 8 and file.seek(0, os.SEEK_END) == 8
    file.seek(0)
    file.write(b"a")  # encoders go back to their header
    file.seek(7)
    file.write(b"h")
    file.finish()
    assert buffer.getvalue() == expected


def test_an_error_is_kept_for_later():
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    file = SplicedFile(Full())
    assert file.write(b"abc") == 0 and file.tell() == 0
    with pytest.raises(OSError, match="No space left"):
        file.finish()
