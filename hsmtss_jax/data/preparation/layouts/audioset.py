"""Read AudioSet: three *_segments.csv with comment lines, class_labels_indices.csv, and clips of 10 s.

A line is "YTID, start, stop, "mid,mid"", with spaces behind the commas. Files are named by the video, by
"Y" and the video, or by video and segment (``names.youtube_names``).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from hsmtss_jax.data.preparation.files import FileIndex, table
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.names import (
    drawn_split,
    joined_labels,
    label_text,
    youtube_names,
)
from hsmtss_jax.data.preparation.tables import Row, read_bare, read_rows

TABLES = {
    "balanced": "balanced_train_segments.csv",
    "unbalanced": "unbalanced_train_segments.csv",
    "evaluation": "eval_segments.csv",
}
COLUMNS = ("video", "start", "stop", "labels")
VALIDATION = 0.001  # share of the training parts, to watch a training by


def read(place: Place) -> Iterator[Item]:
    """Yield the segments of the chosen parts."""
    files = FileIndex(place.where)
    names = read_classes(place.root)
    for part in place.parts:
        path = table(place.root, TABLES[part])
        for row in read_bare(path, COLUMNS, comment="#"):
            yield _item(row, part, names, path, files)


def read_classes(root: Path) -> dict[str, str]:
    """Read class id ("/m/...") -> name, as captions have it."""
    rows = read_rows(table(root, "class_labels_indices.csv"), ("mid", "display_name"))
    return {row["mid"]: label_text(row["display_name"]) for row in rows}


def _item(row: Row, part: str, names: Mapping[str, str], path: Path, files: FileIndex) -> Item:
    video, start, stop = row["video"], float(row["start"]), float(row["stop"])
    try:
        labels = [names[mid] for mid in row["labels"].split(",")]
    except KeyError as error:
        raise ValueError(f"{path}: {video} has the class {error}, which no table names") from None
    split = "test" if part == "evaluation" else drawn_split(video, validation=VALIDATION)
    return Item(
        id=f"{video}_{start:g}",
        split=split,
        captions=(joined_labels(labels),),
        label=labels[0],
        tags=tuple(labels),
        licence="labels CC-BY 4.0; sound: YouTube's terms",
        source=f"https://www.youtube.com/watch?v={video}",
        group=f"youtube:{video}",
        **files.find(*youtube_names(video, start, stop)),
    )


LAYOUT = Layout(
    name="audioset",
    title="AudioSet: clips of 10 s in 527 classes (Gemmeke et al., 2017).",
    read=read,
    licence="labels CC-BY 4.0; the sound under the terms of YouTube and its authors",
    parts=tuple(TABLES),
    expected={"all": 22160 + 2041789 + 20371, "test": 20371},
    long="start",
)
