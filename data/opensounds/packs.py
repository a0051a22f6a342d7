"""Read a corpus folder: its rows, its audio and its attribution.

A folder holds metadata.csv, ATTRIBUTION.csv and the audio: tar files that the column ``shard`` names (a
packed corpus), or SPLIT/LABEL/NAME.flac (the build of make_corpus.py and of rebuild.py).
"""

import contextlib
import csv
import io
import re
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from hsmtss_jax.audio.constants import SAMPLE_RATE

Row = dict[str, str]

ATTRIBUTION = ("package", "version", "licence", "sources", "licence file", "authors")


class Unusable(ValueError):
    """Signal a clip that cannot be used; the message is the reason."""


def read_rows(folder: Path, exclude: str = "") -> list[Row]:
    """Read metadata.csv without the rows whose licence matches ``exclude``.

    Every row also gets "folder" and "id", its label and name.

    Raises:
      OSError: there is no such file, or a tar file that it names is missing.
      ValueError: a column is missing.
    """
    path = folder / "metadata.csv"
    if not path.is_file():
        raise OSError(f"{path} is missing: give the folder of the packed corpus or of its build")
    with open(path, newline="", encoding="utf-8") as lines:
        rows = [dict(row) for row in csv.DictReader(lines)]
    needed = {"file", "split", "seconds", "label", "caption", "tags", "licence", "package"}
    if missing := (needed | {"source", "kind", "group"}) - set(rows[0] if rows else needed):
        raise ValueError(f"{path} has no column {', '.join(sorted(missing))}")
    for shard in sorted({row["shard"] for row in rows if row.get("shard")}):
        if not (folder / shard).is_file():
            raise OSError(f"{folder / shard} is missing: copy it beside metadata.csv")
    kept = [row for row in rows if not (exclude and re.search(exclude, row["licence"]))]
    return [row | {"folder": str(folder), "id": _id(row)} for row in kept]


def _id(row: Row) -> str:
    """Return LABEL/NAME; the composites of both splits are numbered alike, so training's name it."""
    name = str(Path(row["file"]).with_suffix("").relative_to(row["split"]).as_posix())
    return f"{name}-train" if (row["kind"], row["split"]) == ("composite", "train") else name


def reader(stack: contextlib.ExitStack) -> Callable[[Row], np.ndarray]:
    """Return a function row -> int16 [n] at 16 kHz, which raises Unusable. stack: keeps files open."""
    tars: dict[Path, tarfile.TarFile] = {}

    def read(row: Row) -> np.ndarray:
        folder = Path(row["folder"])
        if not row.get("shard"):
            return _decode(folder / row["file"])
        path = folder / row["shard"]
        if path not in tars:
            tars[path] = stack.enter_context(tarfile.open(path))  # noqa: SIM115
        try:
            member = tars[path].extractfile(row["file"])
        except KeyError:
            member = None
        if member is None:
            raise Unusable(f"missing: not in {row['shard']}")
        try:
            return _decode(io.BytesIO(member.read()))
        except (OSError, tarfile.TarError) as error:
            raise Unusable(f"damaged: {error}") from error

    return read


def _decode(file: Path | io.BytesIO) -> np.ndarray:
    if isinstance(file, Path) and not file.is_file():
        raise Unusable("missing: no such file")
    try:
        audio, rate = soundfile.read(file, dtype="int16")
    except (soundfile.SoundFileError, OSError) as error:
        raise Unusable(f"damaged: {error}") from error
    if rate != SAMPLE_RATE or audio.ndim != 1:
        channels = 1 if audio.ndim == 1 else audio.shape[1]
        raise Unusable(f"not {SAMPLE_RATE} Hz mono: {rate} Hz, {channels} channels")
    return np.asarray(audio, np.int16)


def attribution(folders: Sequence[Path], rows: Sequence[Row]) -> str:
    """Return one table of all corpora, CSV, restricted to the packages in use."""
    used = {row["package"] for row in rows}
    out = io.StringIO()
    table = csv.DictWriter(out, ATTRIBUTION, restval="", lineterminator="\n")
    table.writeheader()
    for folder in folders:
        with open(folder / "ATTRIBUTION.csv", newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                if row["package"] in used:
                    row["licence file"] = row.get("licence file") or row.get("copyright file") or ""
                    table.writerow({name: row.get(name) or "" for name in ATTRIBUTION})
    return out.getvalue()
