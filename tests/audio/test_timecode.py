"""Times as people write them."""

import numpy as np
import pytest

from hsmtss_jax.audio.timecode import read_time, write_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1:30", 90),
        ("1:02:03.5", 3723.5),
        ("0:05", 5),
        ("90:00", 5400),
        (" 2.5 ", 2.5),
        (".5", 0.5),
        ("1e3", 1000),
        ("-1", -1),
        (7, 7),
        (np.float32(0.5), 0.5),
    ],
)
def test_times(text, seconds):
    assert read_time(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", "now", "1:", ":30", "1:60", "1:60:00", "1:2:3:4", "1:-2", "nan", "inf", float("inf")],
)
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match=r"is no time: "):
        read_time(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (89, "89 s"), (100, "2 min"), (5340, "89 min"), (5400, "1 h 30 min")],
)
def test_lengths_of_time(seconds, text):
    assert write_time(seconds) == text
