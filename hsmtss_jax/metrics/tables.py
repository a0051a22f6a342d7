"""The one form of all reports: tables of estimates, notes in words, and the rows they were made from."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from hsmtss_jax.metrics.interval import Estimate

Cell = Estimate | float | str | None


@dataclasses.dataclass(frozen=True)
class Column:
    """Describe a column. key: its name in JSON; title: its heading; decimals: of its numbers.

    significant: digits of its numbers, in place of decimals [decimals]. scale: what numbers are multiplied by
    when they are written (100 for per cent).
    """

    key: str
    title: str
    decimals: int = 2
    scale: float = 1.0
    significant: int = 0

    def write(self, cell: Cell) -> str:
        """Return a cell's text: ``mean [low, high]``, a number, a word, or "-"."""
        if isinstance(cell, Estimate):
            mean, low, high = (self._number(x) for x in (cell.mean, cell.low, cell.high))
            skipped = f" ({cell.skipped} skipped)" if cell.skipped else ""
            return f"{mean} [{low}, {high}]{skipped}"
        if cell is None or isinstance(cell, str):
            return cell or "-"
        return self._number(cell)

    def _number(self, value: float) -> str:
        form = f".{self.significant}g" if self.significant else f".{self.decimals}f"
        return format(self.scale * value, form)


@dataclasses.dataclass(frozen=True)
class Row:
    """Hold a row. cells: column key -> its cell; a key that is missing is an empty cell.

    key: its name in JSON [the name].
    """

    name: str
    cells: Mapping[str, Cell]
    key: str = ""


@dataclasses.dataclass(frozen=True)
class Table:
    """Hold rows by columns. title: above it, and its name in JSON; corner: heading of the rows' names."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    title: str = ""
    corner: str = ""

    def to_markdown(self) -> str:
        """Return the table in Markdown; a column without any cell is left out."""
        used = [c for c in self.columns if any(_filled(row, c) for row in self.rows)]
        lines = [f"**{self.title}**", ""] if self.title else []
        lines.append(_line([self.corner, *(column.title for column in used)]))
        lines.append("|---" * (len(used) + 1) + "|")
        for row in self.rows:
            cells = [column.write(row.cells.get(column.key)) for column in used]
            lines.append(_line([row.name, *cells]))
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, dict[str, Any]]:
        """Return row -> column -> number, word or the fields of an estimate."""
        return {
            row.key or row.name: {
                column.key: _plain(row.cells[column.key])
                for column in self.columns
                if _filled(row, column)
            }
            for row in self.rows
        }


@dataclasses.dataclass(frozen=True)
class Report:
    """Hold what a command prints and writes.

    tables: each has a title when there are several. about: how it was made. notes: lines for the reader.
    rows: what the tables were made from, in plain JSON.
    """

    tables: Sequence[Table]
    about: Mapping[str, Any]
    rows: Any
    notes: Sequence[str] = ()

    def table(self) -> str:
        """Return all tables and notes in Markdown."""
        parts = [table.to_markdown() for table in self.tables] + [
            f"{note}\n" for note in self.notes
        ]
        return "\n".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return everything in plain JSON; "summary" is the table, or the tables by their titles."""
        single = len(self.tables) == 1 and not self.tables[0].title
        tables = {table.title: table.to_json() for table in self.tables}
        return {
            "about": dict(self.about),
            "notes": list(self.notes),
            "summary": tables[""] if single else tables,
            "rows": self.rows,
        }


def _filled(row: Row, column: Column) -> bool:
    return row.cells.get(column.key) is not None


def _line(cells: Sequence[str]) -> str:
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def _plain(cell: Cell) -> Any:
    return dataclasses.asdict(cell) if isinstance(cell, Estimate) else cell
