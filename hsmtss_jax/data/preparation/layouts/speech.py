"""Read the speech of HSM-TSS section IV-A: Libri-Light medium, DNS-2021's other languages, AVSpeech.

    ROOT/medium/SPEAKER/BOOK/*.flac                Libri-Light, chapters with a JSON file each
    ROOT/clean/LANGUAGE_speech|_data/**/*.wav      DNS challenge of ICASSP 2021, wideband
    ROOT/avspeech_train.csv, avspeech_test.csv     video, start, stop, x, y without a header; and segments

Splits are by speaker where one is known, by file elsewhere; AVSpeech has its own.
"""

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from hsmtss_jax.data.preparation.files import FileIndex, table, walk
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.names import drawn_split, youtube_names
from hsmtss_jax.data.preparation.tables import read_bare

LANGUAGES = ("french", "german", "italian", "mandarin", "russian", "spanish")
SHARES = {"validation": 0.01, "test": 0.01}
AVSPEECH = ("video", "start", "stop", "x", "y")


def read(place: Place) -> Iterator[Item]:
    """Yield the recordings of the chosen parts."""
    for part in place.parts:
        yield from READERS[part](place)


def read_librilight(place: Place) -> Iterator[Item]:
    """Yield chapters of audio books in English."""
    for path in walk(place.where):
        above = PurePosixPath(path).parts[:-1]
        if "medium" not in above[:-2]:
            continue
        speaker, book = above[-2:]
        stem = PurePosixPath(path).stem
        yield _item(
            f"librilight/{speaker}/{book}/{stem}",
            path,
            "english",
            f"librivox:{speaker}",
            "public domain (LibriVox)",
        )


def read_dns(place: Place) -> Iterator[Item]:
    """Yield utterances in the other languages."""
    for path in walk(place.where):
        above = PurePosixPath(path).parts[:-1]
        for language in LANGUAGES:
            if any(name in (f"{language}_speech", f"{language}_data") for name in above):
                name = str(PurePosixPath(path).with_suffix(""))
                yield _item(f"dns/{name}", path, language, "", "see the challenge's licence files")


def _item(name: str, path: str, language: str, speaker: str, licence: str) -> Item:
    """Make the item of a recording that has no table.

    Args:
      name: its id.
      path: of the file.
      language: in English.
      speaker: the group, if known.
      licence: of the recording.
    """
    return Item(
        id=name,
        split=drawn_split(speaker or name, **SHARES),
        path=path,
        captions=("a person speaking", f"speech in {language}", "speech"),
        label="speech",
        tags=("speech",),
        licence=licence,
        source=path,
        group=speaker or name,
    )


def read_avspeech(place: Place) -> Iterator[Item]:
    """Yield segments of videos with one speaker."""
    files = FileIndex(place.where)
    for split in ("train", "test"):
        for row in read_bare(table(place.root, f"avspeech_{split}.csv"), AVSPEECH):
            video, start, stop = row["video"], float(row["start"]), float(row["stop"])
            yield Item(
                id=f"avspeech/{video}_{start:g}",
                split=split,
                captions=("a person speaking", "speech"),
                label="speech",
                tags=("speech",),
                licence="segments CC-BY 4.0; sound: YouTube's terms",
                source=f"https://www.youtube.com/watch?v={video}",
                group=f"youtube:{video}",
                **files.find(*youtube_names(video, start, stop)),
            )


READERS: dict[str, Callable[[Place], Iterator[Item]]] = {
    "librilight": read_librilight,
    "dns": read_dns,
    "avspeech": read_avspeech,
}
LAYOUT = Layout(
    name="speech",
    title="Speech: Libri-Light medium (Kahn et al., 2020), DNS-2021 (Reddy et al., 2021), AVSpeech "
    "(Ephrat et al., 2018).",
    read=read,
    licence="mixed, see the field licence",
    parts=tuple(READERS),
    long="pieces",
)
