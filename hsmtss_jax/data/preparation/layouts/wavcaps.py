"""Read WavCaps: json_files/PART/*_final.json, and FLAC files of the unpacked zips, wherever they ended up.

A file is a list, or has one under "data". AudioSet's ids end in ".wav" and begin with "Y"; the zips unpack to
long paths of another machine, so files are found by name below a folder named like the part.
HSM-TSS section IV-A takes AudioSet's part whole, SoundBible and BBC up to 60 s, and leaves FreeSound out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from hsmtss_jax.data.preparation.files import FileIndex, table
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.names import drawn_split
from hsmtss_jax.data.preparation.tables import read_json

TABLES = {
    "AudioSet_SL": "as_final.json",
    "SoundBible": "sb_final.json",
    "BBC_Sound_Effects": "bbc_final.json",
    "FreeSound": "fsd_final.json",
}
LICENCES = {
    "AudioSet_SL": "captions academic; sound: YouTube's terms",
    "SoundBible": "mixed, see soundbible.com; academic use",
    "BBC_Sound_Effects": "RemArc, not commercial",
    "FreeSound": "Creative Commons, see freesound.org; academic use",
}
LONGEST = 60.0  # [s], of what is not AudioSet's
VALIDATION = 0.01  # share: WavCaps has no splits


def read(place: Place) -> Iterator[Item]:
    """Yield the recordings of the chosen parts."""
    files = FileIndex(place.where)
    for part in place.parts:
        path = table(place.root, TABLES[part], f"{part}/{TABLES[part]}")
        told = read_json(path)
        rows = told.get("data") if isinstance(told, dict) else told
        if not isinstance(rows, list) or not all({"id", "caption"} <= set(row) for row in rows):
            raise ValueError(f"{path} is no table of WavCaps: it has no list of ids and captions")
        yield from (_item(row, part, files) for row in rows if _is_wanted(row, part))


def _is_wanted(row: Mapping[str, Any], part: str) -> bool:
    return part == "AudioSet_SL" or float(row.get("duration", 0.0)) <= LONGEST


def _item(row: Mapping[str, Any], part: str, files: FileIndex) -> Item:
    stem = str(row["id"]).removesuffix(".wav").removesuffix(".flac")
    if part == "AudioSet_SL":
        group, source = f"youtube:{stem[1:]}", f"https://www.youtube.com/watch?v={stem[1:]}"
    else:
        group, source = f"{part.lower()}:{stem}", str(row.get("href") or stem)
    return Item(
        id=f"{part}/{stem}",
        split=drawn_split(group, validation=VALIDATION),
        captions=(str(row["caption"]).strip(),),
        licence=LICENCES[part],
        source=source,
        group=group,
        **files.find(stem, below=part),
    )


LAYOUT = Layout(
    name="wavcaps",
    title="WavCaps: captions that a language model wrote for AudioSet, SoundBible, BBC and FreeSound sounds "
    "(Mei et al., 2023).",
    read=read,
    licence="academic use only",
    parts=tuple(TABLES),
    chosen=3,
)
