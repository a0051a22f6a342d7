"""A pair list: a CSV, to be shared, that says which recordings make a mixture and what is asked for.

It holds names of files, not sounds: whoever has the recordings has the benchmark.
"""

import csv
import dataclasses
import hashlib
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from hsmtss_jax.atomic import write_text


@dataclasses.dataclass(frozen=True, kw_only=True)
class PairRow:
    """Store a line of a pair list. Files are relative to the folder of recordings.

    Attributes:
      name: of the pair, and of the sounds that others make of it.
      text: description of the target, to be extracted.
      target: its file.
      other: file of the sound that it is mixed with; "" where ``mixture`` is given.
      mixture: file of a mixture that is already made; "" where ``other`` is given.
      text_other: description of the other sound, to be removed; "" where unknown.
      snr_db: target to other, by the power of all samples [dB].
      seconds: both are cut or zero-padded to it; 0: the target's own length.
      group: recording of the target, the unit of the bootstrap [the name].
      start, start_other: where the pair begins in the files of target and other [s].
    """

    name: str
    text: str
    target: str
    other: str = ""
    mixture: str = ""
    text_other: str = ""
    snr_db: float = 0.0
    seconds: float = 0.0
    group: str = ""
    start: float = 0.0
    start_other: float = 0.0

    def __post_init__(self) -> None:
        if not (self.name and self.text and self.target):
            raise ValueError("a pair needs name, text and target")
        if bool(self.other) == bool(self.mixture):
            raise ValueError(f"the pair {self.name} needs either other or mixture")
        times = self.seconds, self.start, self.start_other
        if not (math.isfinite(self.snr_db) and all(0 <= time < math.inf for time in times)):
            raise ValueError(
                f"the pair {self.name} has snr_db {self.snr_db}, seconds {self.seconds}, start "
                f"{self.start}, start_other {self.start_other}"
            )


_FIELDS = tuple(field.name for field in dataclasses.fields(PairRow))
_NUMBERS = tuple(
    field.name for field in dataclasses.fields(PairRow) if field.type in (float, "float")
)


def read_pair_list(path: str | Path) -> list[PairRow]:
    """Read a pair list. Raises OSError when it is not there, ValueError that names a broken line."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if not {"name", "text", "target"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{path} is no pair list: its first line must name name, text, target")
        rows = [_row(path, number, fields) for number, fields in enumerate(reader, 2)]
    if not rows:
        raise ValueError(f"{path} holds no pair")
    names = [row.name for row in rows]
    if len(set(names)) < len(names):
        raise ValueError(f"{path} has two pairs of one name: {_repeated(names)}")
    return rows


def write_pair_list(path: str | Path, rows: Iterable[PairRow]) -> None:
    """Write a pair list, atomically; columns that no pair uses are left out."""
    table = [dataclasses.asdict(row) for row in rows]
    defaults = {field.name: field.default for field in dataclasses.fields(PairRow)}
    used = [name for name in _FIELDS if any(row[name] != defaults[name] for row in table)]
    text = io.StringIO()
    writer = csv.DictWriter(text, used, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text.getvalue())


def digest(rows: Iterable[PairRow]) -> str:
    """Return the sum that names a pair list, whatever its columns' order."""
    return hashlib.sha256(repr([dataclasses.astuple(row) for row in rows]).encode()).hexdigest()


def _row(path: str | Path, number: int, fields: dict[str, str]) -> PairRow:
    try:
        values = {name: fields[name] for name in _FIELDS if fields.get(name)}
        numbers = {name: float(values[name]) for name in _NUMBERS if name in values}
        return PairRow(**(values | numbers))  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}:{number}: {error}") from error


def _repeated(names: Sequence[str]) -> str:
    seen: set[str] = set()
    return next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
