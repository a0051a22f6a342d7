"""Refuse clips that must not be in the data set, with a reason each, and check the splits."""

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from hsmtss_jax.data.fingerprint import Match

Row = Mapping[str, str]


def esc50_recordings() -> set[str]:
    """Return the numbers of the recordings that ESC-50 is made of; ESC-50 is for testing only."""
    return set(Path(__file__).with_name("esc50_recordings.txt").read_text().split())


def _esc50_by_sound() -> dict[str, str]:
    """Return id -> file of ESC-50, of clips that ``near_duplicates`` found to hold its recordings."""
    lines = Path(__file__).with_name("esc50_by_sound.txt").read_text().splitlines()
    return dict(line.split() for line in lines)


def refuse_rows(rows: Sequence[Row]) -> dict[int, str]:
    """Return row number -> reason, for what the table alone tells."""
    held_out = esc50_recordings()
    refused: dict[int, str] = {}
    seen: dict[str, str] = {}
    sounds_like = _esc50_by_sound()
    for i, row in enumerate(rows):
        numbers = set(re.findall(r"\d{5,}", f"{row['source']} {row.get('author', '')}")) & held_out
        if numbers:
            refused[i] = f"held out: recording {min(numbers)} of ESC-50"
        elif row["id"] in sounds_like:
            refused[i] = f"held out: sounds like {sounds_like[row['id']]} of ESC-50"
        elif row["id"] in seen:
            refused[i] = f"id {row['id']} stands twice: also {seen[row['id']]}"
        seen.setdefault(row["id"], row["file"])
    return refused


def check_splits(
    parts: Mapping[str, Sequence[int]],
    rows: Sequence[Row],
    recording: Sequence[str],
    matches: Sequence[Match],
) -> None:
    """Check that splits share no id, no group and no near duplicate.

    Args:
      parts: split -> row numbers.
      rows: of all corpora.
      recording: of each row.
      matches: between rows.

    Raises:
      ValueError: they do.
    """
    side = {i: name for name, part in parts.items() for i in part}
    for match in matches:
        a, b = side.get(match.first), side.get(match.second)
        if a and b and a != b:
            pair = f"{rows[match.first]['id']} of {a} and {rows[match.second]['id']} of {b}"
            raise ValueError(f"near duplicates in two splits: {pair}")
    for a, b in itertools.combinations(parts, 2):
        for what, value in (("id", [row["id"] for row in rows]), ("recording", recording)):
            shared = {value[i] for i in parts[a]} & {value[i] for i in parts[b]}
            if shared:
                raise ValueError(f"{a} and {b} share the {what} {min(shared)}")
