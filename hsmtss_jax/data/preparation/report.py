"""Report on a preparation: what was found, what was not, hours, licences, and how counts compare."""

import csv
import dataclasses
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hsmtss_jax.data.preparation.checks import LeftOut


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Hold the counts of a preparation.

    Attributes:
      listed: recordings in the tables, by split.
      clips: records written, by split.
      hours: of them, by split.
      left_out: files by kind of fault, by split.
      licences: hours by licence, most first.
      differences: a line for each count that differs from the official one or the paper's.
    """

    listed: Mapping[str, int]
    clips: Mapping[str, int]
    hours: Mapping[str, float]
    left_out: Mapping[str, Mapping[str, int]]
    licences: Mapping[str, float]
    differences: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return dataclasses.asdict(self)

    def lines(self) -> list[str]:
        """Return it for a reader: a line a split, then licences and differences."""
        lines = []
        for split, listed in self.listed.items():
            faults = self.left_out.get(split, {})
            told = "".join(f", {count} {kind}" for kind, count in sorted(faults.items()))
            lines.append(
                f"{split}: {listed} listed, {self.clips.get(split, 0)} clips, "
                f"{self.hours.get(split, 0.0):.2f} h{told}"
            )
        lines += [f"licence {name or 'not stated'}: {h:.2f} h" for name, h in self.licences.items()]
        return lines + list(self.differences)


def build_report(
    listed: Mapping[str, int],
    rows: Iterable[tuple[str, Mapping[str, Any]]],
    left_out: Sequence[LeftOut],
    *,
    rate: int,
    expected: Mapping[str, int],
    paper: Mapping[str, int],
) -> Report:
    """Count.

    Args:
      listed: recordings in the tables, by split.
      rows: split of each record, and what the index says of it.
      left_out: what was not written.
      rate: of the audio [Hz].
      expected: official counts by split ("all": of the set).
      paper: HSM-TSS's counts, likewise.
    """
    counts: Counter[str] = Counter()
    hours: dict[str, float] = defaultdict(float)
    licences: dict[str, float] = defaultdict(float)
    for split, row in rows:
        length = row.get("samples", 0) / rate / 3600.0
        counts[split] += 1
        hours[split] += length
        licences[row.get("licence", "")] += length
    faults: dict[str, Counter[str]] = defaultdict(Counter)
    for each in left_out:
        faults[each.split][each.kind] += 1
    return Report(
        listed=dict(listed),
        clips=dict(counts),
        hours=dict(hours),
        left_out={split: dict(kinds) for split, kinds in faults.items()},
        licences=dict(sorted(licences.items(), key=lambda item: -item[1])),
        differences=[
            *_differences(listed, expected, "the tables list", "the official ones"),
            *_differences(counts, paper, "written", "HSM-TSS's"),
        ],
    )


def report_from_json(told: Mapping[str, Any]) -> Report:
    """Return the report that ``as_json`` wrote, whatever else is there."""
    return Report(**{field.name: told[field.name] for field in dataclasses.fields(Report)})


def _differences(
    counts: Mapping[str, int], wanted: Mapping[str, int], what: str, whose: str
) -> list[str]:
    found = {"all": sum(counts.values()), **counts}
    return [
        f"{split}: {what} {found.get(split, 0)}, {whose} are {number}"
        for split, number in wanted.items()
        if found.get(split, 0) != number
    ]


def left_out_table(left_out: Sequence[LeftOut]) -> str:
    """Return what was left out as CSV, a line a file."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(LeftOut._fields)
    table.writerows(sorted(left_out))
    return text.getvalue()
