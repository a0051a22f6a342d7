"""Read ESC-50: meta/esc50.csv and audio/, or the Ogg edition of 2015 with a folder a class ("101 - Dog").

All clips are of one split: test, as ESC-50 is not commercial and nothing here is trained on it; or, with the
part "train", all of training, as HSM-TSS section IV-A has it.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from hsmtss_jax.data.preparation.files import FileIndex, Found, walk
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.names import spoken
from hsmtss_jax.data.preparation.tables import read_rows

COLUMNS = ("filename", "fold", "target", "category", "src_file", "take")


def read(place: Place) -> Iterator[Item]:
    """Yield all clips."""
    path = place.root / "meta" / "esc50.csv"
    split = place.parts[0]
    if not path.is_file():
        yield from _edition_of_2015(place, split)
        return
    files = FileIndex(place.where)
    for row in read_rows(path, COLUMNS):
        stem = row["filename"].removesuffix(".wav")
        found = files.find(stem)
        yield _item(stem, row["category"], row["src_file"], split, found)


def _edition_of_2015(place: Place, split: str) -> Iterator[Item]:
    for path in walk(place.where):
        pure = PurePosixPath(path)
        named = re.fullmatch(r"(\d{3}) - (.+)", pure.parent.name)
        if named:
            stem = f"{pure.stem}-{class_number(pure.parent.name)}"
            found: Found = {"path": path, "found": True}
            yield _item(stem, named[2], pure.stem.split("-")[1], split, found)


def class_number(folder: str) -> int:
    """Return the class 0 to 49 of a folder "101 - Dog": a hundred a group of ten.

    Raises ValueError for another name.
    """
    found = re.match(r"([1-5])(\d\d) - ", folder)
    if not found or not 1 <= int(found[2]) <= 10:
        raise ValueError(f"{folder!r} is no class of ESC-50, such as '101 - Dog'")
    return 10 * (int(found[1]) - 1) + int(found[2]) - 1


def _item(stem: str, category: str, recording: str, split: str, found: Found) -> Item:
    """Make the item of a clip.

    Args:
      stem: FOLD-RECORDING-TAKE-CLASS.
      category: its class.
      recording: the number of the recording on Freesound.
      split: of all clips.
      found: the file.
    """
    label = spoken(category)
    return Item(
        id=stem,
        split=split,
        captions=(label,),
        label=label,
        tags=(label,),
        licence="CC-BY-NC",
        source=f"https://freesound.org/s/{recording}",
        group=f"freesound:{recording}",
        **found,
    )


LAYOUT = Layout(
    name="esc50",
    title="ESC-50: 2,000 clips of 5 s in 50 classes (Piczak, 2015). A test set only.",
    read=read,
    licence="CC-BY-NC",
    parts=("test", "train"),
    chosen=1,
    expected={"test": 2000},
    paper={"all": 2000},
)
