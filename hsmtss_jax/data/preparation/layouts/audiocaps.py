"""Read AudioCaps: train.csv, val.csv, test.csv, and clips of 10 s as a downloader left them.

A clip has one caption in training and five elsewhere, a row each. Files are named by the row's
``audiocap_id``, in a folder of the split, or by the video and its start (``names.youtube_names``).
"""

from collections.abc import Iterator

from hsmtss_jax.data.preparation.files import FileIndex, Found, table
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.names import youtube_names
from hsmtss_jax.data.preparation.tables import Row, read_rows

SPLITS = {"train": "train", "val": "validation", "test": "test"}
COLUMNS = ("audiocap_id", "youtube_id", "start_time", "caption")
SECONDS = 10.0


def read(place: Place) -> Iterator[Item]:
    """Yield the clips of all three tables."""
    files = FileIndex(place.where)
    for name, split in SPLITS.items():
        clips: dict[str, list[Row]] = {}
        for row in read_rows(table(place.root, f"{name}.csv"), COLUMNS):
            clips.setdefault(f"{row['youtube_id']}_{row['start_time']}", []).append(row)
        yield from (_item(clip, rows, name, split, files) for clip, rows in clips.items())


def _item(clip: str, rows: list[Row], folder: str, split: str, files: FileIndex) -> Item:
    video = rows[0]["youtube_id"]
    captions = (row["caption"].strip() for row in rows)
    return Item(
        id=clip,
        split=split,
        captions=tuple(dict.fromkeys(caption for caption in captions if caption)),
        licence="captions MIT; sound: YouTube's terms",
        source=f"https://www.youtube.com/watch?v={video}",
        group=f"youtube:{video}",
        **_find(rows, folder, files),
    )


def _find(rows: list[Row], folder: str, files: FileIndex) -> Found:
    start = float(rows[0]["start_time"])
    by_video = files.find(*youtube_names(rows[0]["youtube_id"], start, start + SECONDS))
    if by_video["found"]:
        return by_video
    by_number = files.find(*(row["audiocap_id"] for row in rows), below=folder)
    return by_number if by_number["found"] else by_video


LAYOUT = Layout(
    name="audiocaps",
    title="AudioCaps: captions of 10-s clips of AudioSet (Kim et al., 2019).",
    read=read,
    licence="captions MIT; the sound under the terms of YouTube and its authors",
    expected={"train": 49838, "validation": 495, "test": 975},
    paper={"test": 952},
    long="start",
)
