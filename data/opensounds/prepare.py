"""Write the opensounds data set: ArrayRecord in TFDS layout, 16 kHz int16, splits train / validation / test.

From the packed corpus (tar files of Ogg Opus and metadata.csv):

    python data/opensounds/prepare.py --packed FOLDER --out corpora/opensounds

or from the lossless build of make_corpus.py (SPLIT/LABEL/ID.flac and metadata.csv):

    python data/opensounds/prepare.py --build FOLDER --out corpora/opensounds

Runs without TensorFlow. Deterministic: equal input gives equal records. Takes about a minute.
"""

import argparse
import contextlib
import csv
import hashlib
import io
import json
import re
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent))

from captions import captions_of
from split import validation_files
from tags import events_of, tags_of

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.data.records import DatasetCard, Fields, Split, write_dataset

FIELDS: Fields = {
    "id": "text",
    "audio": "audio",
    "captions": "texts",  # the first is the corpus' own, the others are paraphrases
    "label": "text",
    "tags": "texts",  # from category to event
    "events": "texts",  # the tags that say what is heard
    "licence": "text",
    "package": "text",
    "source": "text",  # file in the package
    "group": "text",  # recordings with the same group may be near duplicates
    "kind": "text",  # recording | rendered | composite
    "bandwidth_hz": "int",  # 0: not measured
}
CARD = DatasetCard(
    name="opensounds",
    description="Labelled sounds from freely licensed Debian packages, 16 kHz mono, at most 10 s.",
    licence="Mixed free licences, see ATTRIBUTION.csv and the field licence; share-alike.",
)

Read = Callable[[dict[str, str]], bytes]


def main(argv: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--packed", type=Path, help="folder with metadata.csv and tar files")
    where.add_argument("--build", type=Path, help="folder that make_corpus.py wrote")
    parser.add_argument("--out", type=Path, default=Path("corpora/opensounds"))
    parser.add_argument("--exclude-licence", default="", help="regular expression on the licence")
    args = parser.parse_args(argv)
    with contextlib.ExitStack() as stack:
        read = _packed_reader(args.packed, stack) if args.packed else _file_reader(args.build)
        counts = prepare(args.packed or args.build, read, args.out, args.exclude_licence)
    print(json.dumps(counts, indent=1))


class _Raw(argparse.RawDescriptionHelpFormatter):
    pass


def prepare(folder: Path, read: Read, out: Path, exclude: str = "") -> dict[str, dict[str, float]]:
    """Write ``out`` and return the number of clips, labels and hours of each split.

    Raises:
      OSError: the corpus is missing.
      ValueError: an audio file is not 16 kHz mono.
    """
    rows = _rows(folder / "metadata.csv", exclude)
    validation = validation_files(rows)
    parts: dict[str, list[dict[str, str]]] = {"train": [], "validation": [], "test": []}
    for row in rows:
        parts["validation" if row["file"] in validation else row["split"]].append(row)
    extra = {"ATTRIBUTION.csv": _attribution(folder, rows), "splits.json": ""}
    summary = {name: _summary(part) for name, part in parts.items()}
    extra["splits.json"] = json.dumps(summary, indent=1)
    splits = {name: Split(len(part), _records(part, read)) for name, part in parts.items()}
    write_dataset(out, CARD, FIELDS, splits, extra=extra)
    return summary


def _rows(path: Path, exclude: str) -> list[dict[str, str]]:
    """Read the rows in an order that depends on the files' names only, labels well mixed."""
    if not path.is_file():
        raise OSError(f"{path} is missing: give the folder of the packed corpus or of its build")
    with open(path, newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    if exclude:
        rows = [row for row in rows if not re.search(exclude, row["licence"])]
    return sorted(rows, key=lambda row: hashlib.sha256(_id(row).encode()).hexdigest())


def _id(row: dict[str, str]) -> str:
    return str(Path(row["file"]).with_suffix("").relative_to(row["split"]).as_posix())


def _records(rows: list[dict[str, str]], read: Read) -> Iterator[dict[str, object]]:
    for row in rows:
        tags = tags_of(row["label"], row["tags"].split(";"))
        yield {
            "id": _id(row),
            "audio": _audio(read(row), row["file"]),
            "captions": captions_of(row["caption"], row["label"], tags),
            "label": row["label"],
            "tags": tags,
            "events": events_of(tags),
            "licence": row["licence"],
            "package": row["package"],
            "source": row["source"],
            "group": row["group"],
            "kind": row["kind"],
            "bandwidth_hz": int(float(row["bandwidth_hz"] or 0)),
        }


def _audio(data: bytes, name: str) -> np.ndarray:
    audio, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    if rate != SAMPLE_RATE or audio.ndim != 1:
        raise ValueError(f"{name}: expected {SAMPLE_RATE} Hz mono, got {rate} Hz {audio.shape}")
    return audio


def _packed_reader(folder: Path, stack: contextlib.ExitStack) -> Read:
    tars: dict[str, tarfile.TarFile] = {}

    def read(row: dict[str, str]) -> bytes:
        if row["shard"] not in tars:
            tars[row["shard"]] = stack.enter_context(
                tarfile.open(folder / row["shard"])  # noqa: SIM115
            )
        member = tars[row["shard"]].extractfile(row["file"])
        if member is None:
            raise OSError(f"{row['shard']} has no file {row['file']}")
        return member.read()

    return read


def _file_reader(folder: Path) -> Read:
    return lambda row: (folder / row["file"]).read_bytes()


def _attribution(folder: Path, rows: list[dict[str, str]]) -> str:
    """Return the corpus' own table, restricted to the packages in use."""
    used = {row["package"] for row in rows}
    text = (folder / "ATTRIBUTION.csv").read_text(encoding="utf-8")
    head, *lines = list(csv.reader(io.StringIO(text)))
    out = io.StringIO()
    csv.writer(out).writerows([head, *[line for line in lines if line[0] in used]])
    return out.getvalue()


def _summary(rows: list[dict[str, str]]) -> dict[str, float]:
    hours = sum(float(row["seconds"]) for row in rows) / 3600
    return {
        "clips": len(rows),
        "labels": len(Counter(row["label"] for row in rows)),
        "hours": round(hours, 3),
    }


if __name__ == "__main__":
    main()
