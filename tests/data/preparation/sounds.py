"""Small sounds in the layouts of published sets, and the preparation of them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from hsmtss_jax.data.preparation.clips import ClipForm
from hsmtss_jax.data.preparation.item import Layout, Place
from hsmtss_jax.data.preparation.prepare import Preparation, prepare
from hsmtss_jax.data.preparation.report import Report
from hsmtss_jax.data.records import read_index


def write_sound(path: Path, seconds: float = 0.5, rate: int = 16000, level: float = 0.1) -> None:
    """Write noise of a level; equal names give equal noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(sum(path.name.encode()))
    soundfile.write(path, level * rng.standard_normal(round(seconds * rate)), rate)


def write_sounds(root: Path, *names: str, seconds: float = 0.5, rate: int = 16000) -> None:
    """Write noise under each of these names below ``root``."""
    for name in names:
        write_sound(root / name, seconds, rate)


def write_text(path: Path, *lines: str, encoding: str = "utf-8") -> None:
    """Write a table's lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding=encoding)


def prepare_set(layout: Layout, root: Path, parts: Sequence[str] = (), **options: Any) -> Report:
    """Prepare a set beside its folder, as ``prepared``."""
    form = ClipForm(
        seconds=options.pop("seconds", layout.seconds), long=options.pop("long", layout.long)
    )
    place = Place(root=root, parts=tuple(parts), table=options.pop("table", None))
    out = options.pop("out", root.parent / "prepared")
    return prepare(Preparation(layout=layout, place=place, out=out, form=form, **options))


def prepared(root: Path) -> dict[str, dict[str, Any]]:
    """Return what the indices of the prepared set beside ``root`` say, by clip, with its split."""
    out = root.parent / "prepared"
    splits = [path.stem.removeprefix("index-") for path in out.glob("index-*.jsonl")]
    return {
        row["id"]: {**row, "split": split}
        for split in sorted(splits)
        for row in read_index(out, split)
    }


def left_out(root: Path) -> list[list[str]]:
    """Return the lines of left_out.csv: file, split, kind, reason."""
    lines = (root.parent / "prepared" / "left_out.csv").read_text().splitlines()[1:]
    return [line.split(",", 3) for line in lines]


def contents(folder: Path) -> Mapping[str, bytes]:
    """Return all files of a folder by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def report_of(root: Path) -> dict[str, Any]:
    """Return report.json of the prepared set beside ``root``."""
    return json.loads((root.parent / "prepared" / "report.json").read_text())
