"""Read the tables that come with a set, and say in a line when one is not what it should be."""

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

Row = dict[str, str]


def read_rows(
    path: Path, columns: Sequence[str], *, delimiter: str = ",", rest: str = ""
) -> Iterator[Row]:
    """Yield the rows of a table whose first line names its columns.

    rest: the column that takes what a row has beyond them, with the delimiter between.

    Raises ValueError when it lacks one of ``columns``, or a row has fewer fields.
    """
    lines = _lines(path, delimiter)
    head = [name.strip() for name in next(lines, (0, []))[1]]
    if missing := [name for name in columns if name not in head]:
        begins = delimiter.join(head)[:80]
        raise ValueError(f"{path} has no column {missing[0]!r}: its first line is {begins!r}")
    for number, line in lines:
        row = dict(zip(head, line, strict=False))
        if rest and len(line) > len(head):
            row[rest] = delimiter.join([row[rest], *line[len(head) :]])
        if short := [name for name in columns if name not in row]:
            raise ValueError(f"line {number} of {path} has no {short[0]}: it is cut short")
        yield row


def read_bare(
    path: Path, columns: Sequence[str], *, delimiter: str = ",", comment: str = ""
) -> Iterator[Row]:
    """Yield the rows of a table without a line of names; ``comment`` begins lines to pass over.

    Raises ValueError when a row has another number of fields.
    """
    for number, line in _lines(path, delimiter, comment):
        if len(line) != len(columns):
            wanted = ", ".join(columns)
            raise ValueError(f"line {number} of {path} has {len(line)} fields, not {wanted}")
        yield dict(zip(columns, line, strict=True))


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises ValueError when it is none."""
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from error


def _lines(path: Path, delimiter: str, comment: str = "") -> Iterator[tuple[int, list[str]]]:
    """Yield number and fields of each line that is not empty."""
    quoting: Literal[0, 3] = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    with open(path, encoding=_encoding(path), newline="") as file:
        lines = ("" if comment and line.startswith(comment) else line for line in file)
        reader = csv.reader(
            lines, delimiter=delimiter, skipinitialspace=bool(comment), quoting=quoting
        )
        try:
            yield from ((reader.line_num, line) for line in reader if line)
        except csv.Error as error:
            raise ValueError(f"line {reader.line_num} of {path}: {error}") from error


def _encoding(path: Path) -> str:
    """Return UTF-8, or Latin-1 for what is not (Clotho's metadata)."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open(path, "rb") as file:
        try:
            for block in iter(lambda: file.read(1 << 20), b""):
                decoder.decode(block)
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8-sig"
