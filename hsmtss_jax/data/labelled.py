"""Labelled clips for classification, with their training, validation and test splits.

Layouts: a prepared data set (``records``), ESC-50 as published (``meta/esc50.csv`` and ``audio/``), and
the tasks of HEAR 2021 as published (``task_metadata.json``, ``labelvocabulary.csv``, a JSON per split
and ``RATE/SPLIT/``): speech_commands-v0.0.2-5h, nsynth_pitch-v2.2.3-5h, esc50-v2.0.0-full and others.
"""

import csv
import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.io import read_audio, resample, to_mono
from hsmtss_jax.data.records import read_index
from hsmtss_jax.data.sources import ClipSource

LAYOUTS = ("prepared", "esc50", "hear")
_SPLITS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class Fold:
    """Hold disjoint clip numbers, int arrays, to train on, to select a model with and to test on."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclasses.dataclass(frozen=True)
class LabelledClips:
    """Hold labelled clips and their splits.

    Attributes:
      name: of the data set.
      classes: names of the classes.
      labels: class number of each clip, int [n].
      groups: recording that each clip is from [n].
      folds: one split, or one per fold of a cross-validation.
      audio: clip number -> mono float32 at 16 kHz.
      left_out: number of test clips whose class has no training clip; no split contains them.
    """

    name: str
    classes: tuple[str, ...]
    labels: np.ndarray
    groups: tuple[str, ...]
    folds: tuple[Fold, ...]
    audio: Callable[[int], np.ndarray]
    left_out: int = 0


def read_labelled(root: str | Path, layout: str = "auto") -> LabelledClips:
    """Read the labelled clips under ``root``; "auto" detects the layout by its files.

    Raises:
      OSError: there is no such data set.
      ValueError: the layout is unknown or the data set inconsistent.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"no data set at {root}")
    readers = {"prepared": read_prepared, "esc50": read_esc50, "hear": read_hear}
    if layout == "auto":
        layout = _layout(root)
    if layout not in readers:
        raise ValueError(f"unknown layout {layout!r}: choose one of {', '.join(LAYOUTS)}")
    clips = readers[layout](root)
    _check(clips, root)
    return clips


def _check(clips: LabelledClips, root: Path) -> None:
    """Raise ValueError when there are fewer than two classes, or a part of a split is empty."""
    if len(clips.classes) < 2:
        raise ValueError(f"{root} has {len(clips.classes)} classes: a classifier needs two or more")
    for parts in clips.folds:
        for name in _SPLITS:
            if len(getattr(parts, name)) == 0:
                raise ValueError(f"the {name} part of {root} has no clip of a class to train on")


def _layout(root: Path) -> str:
    marks = {
        "features.json": "prepared",
        "meta/esc50.csv": "esc50",
        "task_metadata.json": "hear",
    }
    for mark, layout in marks.items():
        if (root / mark).is_file():
            return layout
    raise ValueError(f"{root} is of no known layout: it has none of {', '.join(marks)}")


def read_prepared(root: Path) -> LabelledClips:
    """Read a prepared data set: field ``label``, its own three splits, recordings by field ``group``."""
    rows: list[dict[str, Any]] = []
    sources, parts = [], []
    for split in _SPLITS:
        source = ClipSource(root, split)
        parts.append(len(rows) + np.arange(len(source)))
        sources += [(source, i) for i in range(len(source))]
        rows += read_index(root, split)
    classes = tuple(sorted({rows[i]["label"] for i in parts[0]}))
    number = {name: i for i, name in enumerate(classes)}
    labels = np.array([number.get(row["label"], -1) for row in rows])
    known = [part[labels[part] >= 0] for part in parts]

    def audio(row: int) -> np.ndarray:
        source, index = sources[row]
        return source.audio(index)

    return LabelledClips(
        name=root.name,
        classes=classes,
        labels=labels,
        groups=tuple(str(row.get("group") or row["id"]) for row in rows),
        folds=(Fold(*known),),
        audio=audio,
        left_out=len(parts[2]) - len(known[2]),
    )


def read_esc50(root: Path) -> LabelledClips:
    """Read ESC-50's published folder: each of five folds is tested once, with the next one as validation."""
    table = root / "meta" / "esc50.csv"
    if not table.is_file():
        raise FileNotFoundError(f"no {table}: give the unpacked folder of ESC-50")
    rows = _rows(
        table, {"filename": str, "fold": str, "target": int, "category": str, "src_file": str}
    )
    names = {row["target"]: row["category"] for row in rows}
    targets = sorted(names)
    return LabelledClips(
        name="ESC-50",
        classes=tuple(names[target] for target in targets),
        labels=np.array([targets.index(row["target"]) for row in rows]),
        groups=tuple(row["src_file"] for row in rows),
        folds=cross_validation([row["fold"] for row in rows]),
        audio=_Files([root / "audio" / row["filename"] for row in rows]),
    )


def read_hear(root: Path) -> LabelledClips:
    """Read a task of HEAR 2021 with one label per clip: train, valid and test, or folds.

    Raises:
      ValueError: a task of another kind (events in time, several labels per clip).
    """
    meta = _json(root / "task_metadata.json")
    kind = (meta.get("embedding_type"), meta.get("prediction_type"))
    if kind != ("scene", "multiclass"):
        raise ValueError(f"{root} is a task of kind {kind}: only one label a clip is supported")
    names = ["train", "valid", "test"]
    if not (root / "train.json").is_file():
        names = sorted(path.stem for path in root.glob("fold*.json"))
        if len(names) < 3:
            raise ValueError(f"{root} has neither train, valid and test JSON files nor three folds")
    vocabulary, folder = _vocabulary(root / "labelvocabulary.csv"), _audio_folder(root)
    labels, paths, split_of = [], [], []
    for name in names:
        for file, given in _json(root / f"{name}.json").items():
            labels.append(_class_number(vocabulary, given, root, file))
            paths.append(folder / name / file)
            split_of.append(name)
    split = np.array(split_of)
    one = Fold(*(np.flatnonzero(split == name) for name in names[:3]))
    folds = (one,) if names[0] == "train" else cross_validation(split_of)
    return LabelledClips(
        name=str(meta.get("task_name", root.name)),
        classes=tuple(vocabulary),
        labels=np.array(labels),
        groups=tuple(f"{path.parent.name}/{path.name}" for path in paths),
        folds=folds,
        audio=_Files(paths),
    )


def cross_validation(names: Sequence[str]) -> tuple[Fold, ...]:
    """Return one split per fold: the fold for testing, the next one (cyclically) for validation.

    names: fold of each clip.

    Raises:
      ValueError: fewer than three folds.
    """
    fold, every = np.array(names), sorted(set(names))
    if len(every) < 3:
        raise ValueError(f"cross-validation takes three folds or more, there are {len(every)}")
    folds = []
    for i, name in enumerate(every):
        test, validation = fold == name, fold == every[(i + 1) % len(every)]
        parts = (~test & ~validation, validation, test)
        folds.append(Fold(*(np.flatnonzero(part) for part in parts)))
    return tuple(folds)


@dataclasses.dataclass(frozen=True)
class _Files:
    """Read audio files by number, on demand."""

    paths: Sequence[Path]

    def __call__(self, row: int) -> np.ndarray:
        file = read_audio(self.paths[row])
        return resample(to_mono(file.samples), file.sample_rate, SAMPLE_RATE)


def _json(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"no {path}: give the unpacked folder of one HEAR task")
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: download the data set again") from error
    if not isinstance(document, dict):
        raise ValueError(f"{path} does not map names to values")
    return document


def _vocabulary(path: Path) -> dict[str, int]:
    """Read class -> number, in the order of the numbers."""
    if not path.is_file():
        raise FileNotFoundError(f"no {path}: give the unpacked folder of one HEAR task")
    rows = sorted(_rows(path, {"idx": int, "label": str}), key=lambda row: row["idx"])
    return {row["label"]: i for i, row in enumerate(rows)}


def _rows(path: Path, columns: Mapping[str, type]) -> list[dict[str, Any]]:
    """Read ``columns`` (name -> type) of a table. Raises ValueError when one is missing."""
    try:
        with open(path, encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        if missing := set(columns) - set(rows[0] if rows else ()):
            raise ValueError(f"it lacks {', '.join(sorted(missing))}")
        return [{name: _cell(row[name], kind) for name, kind in columns.items()} for row in rows]
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read ({error}): download the data set again") from error


def _cell(text: str | None, kind: type) -> Any:
    if text is None:
        raise ValueError("a row is too short")
    return kind(text)


def _class_number(vocabulary: Mapping[str, int], given: Any, root: Path, file: str) -> int:
    labels = given if isinstance(given, list) else [given]
    if len(labels) != 1 or str(labels[0]) not in vocabulary:
        raise ValueError(f"{root}: {file} is labelled {given!r}, not with one of the vocabulary")
    return vocabulary[str(labels[0])]


def _audio_folder(root: Path) -> Path:
    """Return the folder at 16 kHz, or else that of the highest rate."""
    rates = sorted((int(p.name) for p in root.iterdir() if p.name.isdigit()), reverse=True)
    if not rates:
        raise FileNotFoundError(f"{root} has no folder of audio, such as {root / str(SAMPLE_RATE)}")
    return root / str(SAMPLE_RATE if SAMPLE_RATE in rates else rates[0])
