"""Labelled clips for classification, with the parts to train, select and test on.

Layouts: a prepared data set (``records``), ESC-50 as published (``meta/esc50.csv`` and ``audio/``), and
the tasks of HEAR 2021 as published (``task_metadata.json``, ``labelvocabulary.csv``, a JSON a split
and ``RATE/SPLIT/``): speech_commands-v0.0.2-5h, nsynth_pitch-v2.2.3-5h, esc50-v2.0.0-full and alike.
"""

import csv
import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.audio.io import read_audio, resample, to_mono
from hsmtss_jax.data.records import SAMPLE_RATE, read_index
from hsmtss_jax.data.sources import ClipSource

LAYOUTS = ("prepared", "esc50", "hear")
_PARTS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class Parts:
    """Clip numbers to train on, to select with and to test on; int arrays without a common clip."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclasses.dataclass(frozen=True)
class LabelledClips:
    """classes: names. labels: class number of each clip, int [n]. groups: its recording [n]. rounds:
    one, or one a fold. audio: clip number -> mono float32 at 16 kHz. left_out: test clips whose class
    has no training clip; they are in no round's test part."""

    name: str
    classes: tuple[str, ...]
    labels: np.ndarray
    groups: tuple[str, ...]
    rounds: tuple[Parts, ...]
    audio: Callable[[int], np.ndarray]
    left_out: int = 0


def read_labelled(root: str | Path, layout: str = "auto") -> LabelledClips:
    """The labelled clips under ``root``; "auto" tells the layout by its files.

    Raises OSError when it is not there, ValueError when it is of no known layout or inconsistent.
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
    """Raises ValueError when there is nothing to tell apart, or a part has no clip."""
    if len(clips.classes) < 2:
        raise ValueError(f"{root} has {len(clips.classes)} classes: a classifier needs two or more")
    for parts in clips.rounds:
        for name in _PARTS:
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
    """A prepared data set: field ``label``, its own three splits, recordings by field ``group``."""
    rows: list[dict[str, Any]] = []
    sources, parts = [], []
    for split in _PARTS:
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
        rounds=(Parts(*known),),
        audio=audio,
        left_out=len(parts[2]) - len(known[2]),
    )


def read_esc50(root: Path) -> LabelledClips:
    """ESC-50's published folder: five folds, each the test part once and the next one validation."""
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
        rounds=folds([row["fold"] for row in rows]),
        audio=_Files([root / "audio" / row["filename"] for row in rows]),
    )


def read_hear(root: Path) -> LabelledClips:
    """A task of HEAR 2021, one label a clip: train, valid and test, or folds.

    Raises ValueError for a task of another kind (events in time, several labels a clip).
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
    one = Parts(*(np.flatnonzero(split == name) for name in names[:3]))
    rounds = (one,) if names[0] == "train" else folds(split_of)
    return LabelledClips(
        name=str(meta.get("task_name", root.name)),
        classes=tuple(vocabulary),
        labels=np.array(labels),
        groups=tuple(f"{path.parent.name}/{path.name}" for path in paths),
        rounds=rounds,
        audio=_Files(paths),
    )


def folds(names: Sequence[str]) -> tuple[Parts, ...]:
    """One round a fold: it is tested, the next one (the first after the last) selects, the rest train.

    names: each clip's fold. Raises ValueError for fewer than three folds.
    """
    fold, every = np.array(names), sorted(set(names))
    if len(every) < 3:
        raise ValueError(f"cross-validation takes three folds or more, there are {len(every)}")
    rounds = []
    for i, name in enumerate(every):
        test, validation = fold == name, fold == every[(i + 1) % len(every)]
        parts = (~test & ~validation, validation, test)
        rounds.append(Parts(*(np.flatnonzero(part) for part in parts)))
    return tuple(rounds)


@dataclasses.dataclass(frozen=True)
class _Files:
    """Audio files by number, read when asked for."""

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
    """Class -> number, in the order of the numbers."""
    if not path.is_file():
        raise FileNotFoundError(f"no {path}: give the unpacked folder of one HEAR task")
    rows = sorted(_rows(path, {"idx": int, "label": str}), key=lambda row: row["idx"])
    return {row["label"]: i for i, row in enumerate(rows)}


def _rows(path: Path, columns: Mapping[str, type]) -> list[dict[str, Any]]:
    """The rows of a table, ``columns`` (name -> type) alone. Raises ValueError for one without them."""
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
    """The folder at 16 kHz, or else that of the highest rate."""
    rates = sorted((int(p.name) for p in root.iterdir() if p.name.isdigit()), reverse=True)
    if not rates:
        raise FileNotFoundError(f"{root} has no folder of audio, such as {root / str(SAMPLE_RATE)}")
    return root / str(SAMPLE_RATE if SAMPLE_RATE in rates else rates[0])
