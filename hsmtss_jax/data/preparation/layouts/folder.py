"""Read any folder of sounds: with a table of captions, or with captions in the names of files and folders.

With a table (``--table``, or metadata.csv in the folder) a column names the file ("file", "file_name",
"filename", "path" or "fname"), below the folder, with or without its extension; "caption" and "caption_1"
and so on describe it, "label", "tags" (";" between them, from category to event), "split", "licence" or
"license", "source", "group" and "id" are used where they are there.

Without one, a file "dog/a small dog barking_02.wav" has the label "dog" and the caption "a small dog
barking"; a name that is all digits and codes leaves the label as the caption. Folders train, validation or
val, and test, on top, are splits; else 3 % of the recordings each are for validation and test, by the hash
of their names.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from hsmtss_jax.data.preparation.files import FileIndex, Found, walk
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.names import drawn_split, spoken
from hsmtss_jax.data.preparation.tables import read_rows

FILE_COLUMNS = ("file", "file_name", "filename", "path", "fname")
SPLITS = {
    **dict.fromkeys(("train", "training", "dev", "development"), "train"),
    **dict.fromkeys(("validation", "valid", "val"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
HELD_OUT = (
    0.03  # share of the recordings for validation, and for test, where the folder has no splits
)
_TAKE = re.compile(r"([\s_\-.]*(\(?\d+\)?|[vVtT]ake\s?\d+))+$")


def read(place: Place) -> Iterator[Item]:
    """Yield the folder's recordings."""
    table = place.table or place.root / "metadata.csv"
    if place.table or table.is_file():
        files = FileIndex(place.where)
        yield from (_from_row(row, files) for row in read_rows(table, ()))
    else:
        yield from (_from_name(path) for path in walk(place.where))


def _from_row(row: Mapping[str, str], files: FileIndex) -> Item:
    name = next((row[column] for column in FILE_COLUMNS if row.get(column)), "")
    if not name:
        wanted = " or ".join(FILE_COLUMNS)
        raise ValueError(f"the table of the folder has no column {wanted} with a file in it")
    captions = [row[key] for key in sorted(row) if re.fullmatch(r"captions?(_\d+)?", key)]
    label = row.get("label", "").strip()
    tags = tuple(tag.strip() for tag in row.get("tags", "").split(";") if tag.strip())
    texts = tuple(text.strip() for text in captions if text.strip())
    identity = row.get("id") or str(PurePosixPath(name).with_suffix(""))
    return Item(
        id=identity,
        split=SPLITS.get(row.get("split", "").lower(), "") or own_split(identity),
        captions=texts or ((label,) if label else ()),
        label=label or (texts[0] if texts else ""),
        tags=tags or ((label,) if label else ()),
        licence=row.get("licence") or row.get("license") or "",
        source=row.get("source") or name,
        group=row.get("group") or identity,
        **_find(name, files),
    )


def _find(name: str, files: FileIndex) -> Found:
    if files.has(name):
        return {"path": name, "found": True}
    pure = PurePosixPath(name)
    stem = pure.stem if pure.suffix else pure.name
    above = str(pure.parent)
    return files.find(stem, below="" if above == "." else above)


def _from_name(path: str) -> Item:
    pure = PurePosixPath(path)
    above = list(pure.parts[:-1])
    split = SPLITS.get(above[0].lower(), "") if above else ""
    if split:
        above = above[1:]
    words = spoken(_TAKE.sub("", pure.stem))
    label = spoken(above[-1]) if above else words or spoken(pure.stem)
    caption = words if re.search(r"[^\W\d]{2}", words) else label
    identity = str(PurePosixPath(*above, pure.stem))
    return Item(
        id=identity,
        split=split or own_split(identity),
        path=path,
        captions=tuple(dict.fromkeys((caption, label))),
        label=label,
        tags=tuple(spoken(part) for part in above) or (label,),
        source=path,
        group=identity,
    )


def own_split(identity: str) -> str:
    """Return the split of a recording where the folder does not say."""
    return drawn_split(identity, validation=HELD_OUT, test=HELD_OUT)


LAYOUT = Layout(
    name="folder",
    title="Sounds of a folder of one's own.",
    read=read,
    licence="As the files: see the field licence.",
    long="pieces",
)
