"""Write the opensounds data set: ArrayRecord in TFDS layout, 16 kHz int16, splits train / validation / test.

From packed corpora (tar files of Ogg Opus and metadata.csv), one or several:

    python data/opensounds/prepare.py --packed FOLDER [--packed FOLDER] --out corpora/opensounds

or from the lossless builds of make_corpus.py and rebuild.py (SPLIT/LABEL/ID.flac and metadata.csv):

    python data/opensounds/prepare.py --build FOLDER [--build FOLDER] --out corpora/opensounds

Runs without TensorFlow. Deterministic: equal input gives equal records. Takes about four minutes on one
core and 3 GB of memory, as recordings that stand in several places are found by their sound. What is
refused is in refused.csv, with the reason.
"""

import argparse
import contextlib
import csv
import dataclasses
import hashlib
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from captions import captions_of, varied
from checks import check_splits, refuse_rows
from packs import Row, Unusable, attribution, read_rows, reader
from split import recordings, split_rows
from tags import events_of, tags_of

from hsmtss_jax.data.fingerprint import near_duplicates
from hsmtss_jax.data.preparation.checks import refuse_audio
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
    description="Labelled sounds from freely licensed packages and repositories, 16 kHz mono, at most 10 s.",
    licence="Mixed free licences, see ATTRIBUTION.csv and the field licence; share-alike.",
)


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Hold the usable clips of all folders: rows and audio int16 [n], and (file, reason) of the others."""

    rows: list[Row]
    audio: list[np.ndarray]
    refused: list[tuple[str, str]]


def main(argv: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    add = parser.add_argument
    add("--packed", type=Path, action="append", default=[], help="folder of a packed corpus")
    add("--build", type=Path, action="append", default=[], help="folder of a lossless build")
    add("--out", type=Path, default=Path("corpora/opensounds"))
    add("--exclude-licence", default="", help="regular expression on the licence")
    args = parser.parse_args(argv)
    if not (folders := args.packed + args.build):
        parser.error("give the folder of a corpus: --packed FOLDER or --build FOLDER")
    try:
        prepare(folders, args.out, args.exclude_licence, print)
    except (OSError, ValueError) as error:
        sys.exit(f"prepare.py: {error}")


class _Raw(argparse.RawDescriptionHelpFormatter):
    pass


def prepare(
    folders: Sequence[Path], out: Path, exclude: str = "", say: Callable[[str], object] = print
) -> None:
    """Write ``out``. exclude: regular expression on licences to leave out; say: takes lines of text.

    Raises:
      OSError: a corpus is missing.
      ValueError: a table lacks a column, or no clip is left.
    """
    corpus = _read(folders, exclude)
    rows = corpus.rows
    if not rows:
        raise ValueError(f"no usable clip in {', '.join(map(str, folders))}")
    names = recordings(rows)
    say(f"comparing {len(rows)} clips")
    matches = near_duplicates(len(rows), corpus.audio.__getitem__, names)
    names = recordings(rows, matches)
    splits = split_rows(rows, names)
    check_splits(splits.parts, rows, names, matches)
    refused = corpus.refused + [(rows[i]["file"], why) for i, why in splits.dropped.items()]
    used = [rows[i] for part in splits.parts.values() for i in part]
    extra = {
        "ATTRIBUTION.csv": attribution(folders, used),
        "splits.json": json.dumps(_summary(corpus, splits.parts, refused), indent=1),
        "refused.csv": _table(["file", "reason"], refused),
    }
    parts = {
        name: Split(len(part), _records(corpus, part, names)) for name, part in splits.parts.items()
    }
    write_dataset(out, CARD, FIELDS, parts, extra=extra)
    for file, why in refused:
        say(f"refused: {file}: {why}")
    say(extra["splits.json"])


def _read(folders: Sequence[Path], exclude: str) -> Corpus:
    """Read all clips in an order that depends on their names only, labels well mixed."""
    rows = [row for folder in folders for row in read_rows(folder, exclude)]
    why = refuse_rows(rows)
    refused = [(rows[i]["file"], reason) for i, reason in why.items()]
    rows = [row for i, row in enumerate(rows) if i not in why]
    rows.sort(key=lambda row: hashlib.sha256(row["id"].encode()).hexdigest())
    kept, audio = [], []
    with contextlib.ExitStack() as stack:
        read = reader(stack)
        for row in rows:
            try:
                sound = read(row)
                reason = refuse_audio(sound)
            except Unusable as error:
                reason = str(error)
            if reason:
                refused.append((row["file"], reason))
            else:
                kept.append(row)
                audio.append(sound)
    return Corpus(kept, audio, refused)


def _records(
    corpus: Corpus, part: Sequence[int], names: Sequence[str]
) -> Iterator[dict[str, object]]:
    for i in part:
        row = corpus.rows[i]
        tags = tags_of(row["label"], row["tags"].split(";"))
        captions = captions_of(row["caption"], row["label"], tags)
        if "@" in row["package"]:  # repositories' clips were described by label, not one by one
            captions = varied(captions, row["id"])
        yield {
            "id": row["id"],
            "audio": corpus.audio[i],
            "captions": captions,
            "label": row["label"],
            "tags": tags,
            "events": events_of(tags),
            "licence": row["licence"],
            "package": row["package"],
            "source": row["source"],
            "group": names[i],
            "kind": row["kind"],
            "bandwidth_hz": int(float(row.get("bandwidth_hz") or 0)),
        }


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([head, *lines])
    return out.getvalue()


def _summary(
    corpus: Corpus, parts: dict[str, list[int]], refused: Sequence[tuple[str, str]]
) -> dict[str, object]:
    """Return clips, labels and hours by split and folder, hours by licence, and counts of refusals."""
    rows = corpus.rows
    report: dict[str, object] = {}
    for name, part in parts.items():
        report[name] = _counts([rows[i] for i in part])
        report[name]["folders"] = {
            Path(folder).name: _counts([rows[i] for i in part if rows[i]["folder"] == folder])
            for folder in sorted({rows[i]["folder"] for i in part})
        }
    hours: Counter[str] = Counter()
    for row in (rows[i] for part in parts.values() for i in part):
        hours[row["licence"]] += float(row["seconds"]) / 3600
    report["hours by licence"] = {name: round(value, 3) for name, value in hours.most_common()}
    report["found"] = len(rows) + len(corpus.refused)
    report["refused"] = dict(Counter(why.split(":")[0].split(" ")[0] for _, why in refused))
    return report


def _counts(rows: Sequence[Row]) -> dict[str, object]:
    hours = sum(float(row["seconds"]) for row in rows) / 3600
    labels = len({row["label"] for row in rows})
    return {"clips": len(rows), "labels": labels, "hours": round(hours, 3)}


if __name__ == "__main__":
    main()
