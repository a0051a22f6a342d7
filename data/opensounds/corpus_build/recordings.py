"""Extract recordings from packages: one FLAC file and one row of metadata per piece."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from corpus_build.containers import Package
from corpus_build.waveform import (
    SR,
    decode,
    normalise,
    pieces,
    resample,
    slug,
    stable,
    to_mono,
    trim,
    write,
)

Row = Mapping[str, str]  # of clips.csv
Meta = dict[str, Any]  # of metadata.csv
MIN_SECONDS = 0.1

COLUMNS = (
    "file", "seconds", "label", "caption", "tags", "licence", "package", "source", "split", "kind",
    "group", "bandwidth_hz",
)  # fmt: skip


def load16(package: Package, path: str) -> np.ndarray:
    """Load a member of a package at 16 kHz, mono, without the silence around it."""
    samples, rate = decode(package.read(path), path)
    return trim(resample(to_mono(samples), rate))


def take_recordings(
    job: tuple[str, Sequence[Row], str],
) -> tuple[list[Meta], list[tuple[str, ...]]]:
    """Extract (root of the package, rows of clips.csv, output folder) -> metadata, failures."""
    root, rows, out = job
    package = Package(root)
    done: list[Meta] = []
    failed: list[tuple[str, ...]] = []
    for row in rows:
        try:
            samples = _load(package, row)
        except Exception as error:  # a broken file must not end a build of thousands
            failed.append((row["package"], row["path"], repr(error)[:80]))
            continue
        done += _write_pieces(row, samples, out)
    return done, failed


def _load(package: Package, row: Row) -> np.ndarray:
    samples = load16(package, row["path"])
    start, end = float(row.get("start") or 0), float(row.get("end") or 0)
    if end > start:
        samples = samples[int(start * SR) : int(end * SR)]
    if len(samples) < MIN_SECONDS * SR:
        raise ValueError("too short")
    return normalise(samples)


def _write_pieces(row: Row, samples: np.ndarray, out: str) -> list[Meta]:
    uid = f"{slug(row['package'])[:20]}-{stable(row['package'] + ':' + row['path']):08x}"
    parts = pieces(samples)
    names = [uid] if len(parts) == 1 else [f"{uid}-{k:02d}" for k in range(len(parts))]
    return [_write(row, name, part, out) for name, part in zip(names, parts, strict=True)]


def _write(row: Row, name: str, samples: np.ndarray, out: str) -> Meta:
    return {
        "file": write(out, row["split"], row["label"], name, samples),
        "seconds": round(len(samples) / SR, 3),
        "source": row["path"],
        "kind": row.get("kind") or "recording",
        "group": row.get("group", ""),
        "bandwidth_hz": row.get("bandwidth_hz", ""),
    } | {key: row[key] for key in ("label", "caption", "tags", "licence", "package", "split")}
