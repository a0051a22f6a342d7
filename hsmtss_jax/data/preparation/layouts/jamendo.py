"""Read MTG-Jamendo: raw_30s.tsv or autotagging.tsv, the splits of the repository, and folders of MP3 files.

A line has five columns and then one a tag ("genre---rock"). "14/214.mp3" is "14/214.low.mp3" in the small
edition. Licences are in audio_licenses.txt, four lines a track. Splits are split-0's where they are there,
which share no artist; else artists are drawn.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from hsmtss_jax.data.preparation.files import FileIndex, table
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.names import drawn_split, spoken
from hsmtss_jax.data.preparation.tables import Row, read_rows

COLUMNS = ("TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS")
SPLITS = ("train", "validation", "test")


def read(place: Place) -> Iterator[Item]:
    """Yield all tracks, whole."""
    files = FileIndex(place.where)
    tracks = table(place.root, "raw_30s.tsv", "autotagging.tsv")
    splits, licences = _splits(place.root), _licences(place.root)
    for row in read_rows(tracks, COLUMNS, delimiter="\t", rest="TAGS"):
        artist = row["ARTIST_ID"]
        split = splits.get(row["TRACK_ID"]) or drawn_split(artist, validation=0.01, test=0.01)
        yield _item(row, split, licences.get(row["PATH"], ""), files)


def _splits(root: Path) -> dict[str, str]:
    """Read track -> split; empty where the repository's tables are not there."""
    found: dict[str, str] = {}
    for split in SPLITS:
        name = f"autotagging-{split}.tsv"
        try:
            path = table(root, f"split-0/{name}", f"splits/split-0/{name}", name)
        except FileNotFoundError:
            continue
        for row in read_rows(path, ("TRACK_ID",), delimiter="\t"):
            found[row["TRACK_ID"]] = split
    return found


def _licences(root: Path) -> Mapping[str, str]:
    """Read path -> licence: a path, a line about the track, a line that ends with the licence's address."""
    try:
        lines = table(root, "audio_licenses.txt").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    found, path = {}, ""
    for line in lines:
        if line.endswith(".mp3") and " " not in line.strip():
            path = line.strip()
        elif "icense: " in line:
            found[path] = line.rpartition(" ")[2].strip()
    return found


def _item(row: Row, split: str, licence: str, files: FileIndex) -> Item:
    tags = [spoken(tag.rpartition("---")[2]) for tag in row["TAGS"].split("\t") if tag]
    stem = row["PATH"].rpartition("/")[2].removesuffix(".mp3")
    words = tuple(dict.fromkeys(tags))
    return Item(
        id=row["TRACK_ID"],
        split=split,
        captions=(f"{' '.join(words[:3])} music".strip(), "music"),
        label="music",
        tags=("music", *words),
        events=("music",),
        licence=licence or "Creative Commons, see audio_licenses.txt",
        source=f"https://www.jamendo.com/track/{stem}",
        group=f"jamendo:{row['ARTIST_ID']}",
        **files.find(stem, f"{stem}.low"),
    )


LAYOUT = Layout(
    name="jamendo",
    title="MTG-Jamendo: 55,701 tracks of music, whole (Bogdanov et al., 2019).",
    read=read,
    licence="tracks Creative Commons, see the field licence; metadata CC-BY-NC-SA 4.0",
    expected={"all": 55701},
    long="pieces",
)
