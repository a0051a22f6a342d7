"""Read MUSIC's solos by CLIPSep's lists: test.csv (46 videos, 11 instruments), train.csv and val.csv.

A line has no header: sound file, folder of frames, length, instrument. Files are named by the video, in a
folder of the instrument.
"""

from collections.abc import Iterator

from hsmtss_jax.data.preparation.files import FileIndex, table
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.names import spoken
from hsmtss_jax.data.preparation.tables import read_bare

SPLITS = {
    "test": ("test", "test.csv"),
    "val": ("validation", "val.csv"),
    "train": ("train", "train.csv"),
}
COLUMNS = ("sound", "frames", "count", "instrument")


def read(place: Place) -> Iterator[Item]:
    """Yield the videos of the chosen lists."""
    files = FileIndex(place.where)
    for part in place.parts:
        split, name = SPLITS[part]
        for row in read_bare(table(place.root, name), COLUMNS):
            video = row["sound"].rpartition("/")[2].rpartition(".")[0]
            label = spoken(row["instrument"])
            yield Item(
                id=video,
                split=split,
                captions=(label,),
                label=label,
                tags=("music", "musical instrument", label),
                events=(label,),
                licence="YouTube's terms",
                source=f"https://www.youtube.com/watch?v={video}",
                group=f"youtube:{video}",
                **files.find(video),
            )


LAYOUT = Layout(
    name="music",
    title="MUSIC: solos of 11 instruments (Zhao et al., 2018), by CLIPSep's lists.",
    read=read,
    licence="the sound under the terms of YouTube and its authors",
    parts=tuple(SPLITS),
    chosen=1,
    expected={"test": 46},
    long="pieces",
)
