"""Read Clotho v2: clotho_captions_SPLIT.csv, clotho_metadata_SPLIT.csv, and folders of 15 to 30 s WAV files.

Two splits may hold files of one name, names may begin with a space, and metadata is Latin-1 with sound ids
that read "Not found". Version 2.1 wrote some characters of names otherwise than the first tables do.
"""

import re
from collections.abc import Iterator

from hsmtss_jax.data.preparation.files import FileIndex, table
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.tables import Row, read_rows

SPLITS = {"development": "train", "validation": "validation", "evaluation": "test"}
CAPTIONS = tuple(f"caption_{number}" for number in range(1, 6))
_ILLEGAL = re.compile(r'[\\/:*?"<>|]')


def read(place: Place) -> Iterator[Item]:
    """Yield the clips of all three splits, with five captions each."""
    files = FileIndex(place.where)
    for folder, split in SPLITS.items():
        captions = table(place.root, f"clotho_captions_{folder}.csv")
        metadata = table(place.root, f"clotho_metadata_{folder}.csv")
        about = {row["file_name"]: row for row in read_rows(metadata, ("file_name",))}
        for row in read_rows(captions, ("file_name", *CAPTIONS)):
            yield _item(row, about.get(row["file_name"], {}), folder, split, files)


def _item(row: Row, about: Row, folder: str, split: str, files: FileIndex) -> Item:
    stem = row["file_name"].removesuffix(".wav")
    names = (stem, stem.strip(), _ILLEGAL.sub("_", stem), _ILLEGAL.sub("", stem))
    number = about.get("sound_id", "").strip()
    known = number.isdigit()
    return Item(
        id=f"{folder}/{stem.strip()}",
        split=split,
        captions=tuple(row[name].strip() for name in CAPTIONS if row[name].strip()),
        licence=about.get("license", "").strip(),
        source=about.get("sound_link", "").strip() or row["file_name"],
        group=f"freesound:{number}" if known else f"clotho:{stem.strip()}",
        **files.find(*names, below=folder),
    )


LAYOUT = Layout(
    name="clotho",
    title="Clotho v2: sounds of 15 to 30 s with five captions (Drossos et al., 2020).",
    read=read,
    licence="captions: Tampere University, not commercial; sounds: Creative Commons, see the field licence",
    expected={"train": 3839, "validation": 1045, "test": 1045},
    paper={"train": 3839, "test": 1045},
)
