"""Read times as people write them: 90, 1:30, 1:02:03.5."""

import math
import re

Time = float | str  # [s], or the text of a time

_TEXT = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)")
_FORM = "give seconds (90), minutes (1:30) or hours (1:02:03.5)"


def read_time(time: Time) -> float:
    """Return a time in seconds [s]. Raises ValueError for what is none."""
    if not isinstance(time, str):
        if not math.isfinite(time):
            raise ValueError(f"{time} is no time: {_FORM}")
        return float(time)
    try:
        return read_time(float(time))  # also 1e3
    except ValueError:
        return _read_parts(time.strip())


def write_time(seconds: float) -> str:
    """Return a length of time for people: "40 s", "2 min", "1 h 5 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _read_parts(text: str) -> float:
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no time: {_FORM}")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    if (found[2] is not None and seconds >= 60) or (found[1] is not None and minutes >= 60):
        raise ValueError(f"{text[:40]!r} is no time: 60 seconds are a minute, 60 minutes an hour")
    return 3600 * hours + 60 * minutes + seconds
