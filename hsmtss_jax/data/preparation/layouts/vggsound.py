"""Read VGGSound: vggsound.csv without a header (video, start, label, split), and clips of 10 s.

Files are named VIDEO_SSSSSS (the start, six digits), as the authors' archives do, or otherwise
(``names.youtube_names``).
"""

from collections.abc import Iterator

from hsmtss_jax.data.preparation.files import FileIndex, table
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.names import drawn_split, label_text, youtube_names
from hsmtss_jax.data.preparation.tables import read_bare

COLUMNS = ("video", "start", "label", "split")
VALIDATION = 0.01  # share of the training part: VGGSound has none
SECONDS = 10.0


def read(place: Place) -> Iterator[Item]:
    """Yield the table's clips."""
    files = FileIndex(place.where)
    path = table(place.root, "vggsound.csv")
    for row in read_bare(path, COLUMNS):
        if row["split"] not in ("train", "test"):
            raise ValueError(f"{path}: {row['video']} is in {row['split']!r}, not in train or test")
        video, start, label = row["video"], float(row["start"]), label_text(row["label"])
        is_test = row["split"] == "test"
        yield Item(
            id=f"{video}_{start:06.0f}",
            split="test" if is_test else drawn_split(video, validation=VALIDATION),
            captions=(label,),
            label=label,
            tags=(label,),
            licence="labels CC-BY 4.0; sound: YouTube's terms",
            source=f"https://www.youtube.com/watch?v={video}",
            group=f"youtube:{video}",
            **files.find(*youtube_names(video, start, start + SECONDS)),
        )


LAYOUT = Layout(
    name="vggsound",
    title="VGGSound: about 200,000 clips of 10 s in 309 classes (Chen et al., 2020).",
    read=read,
    licence="labels CC-BY 4.0; the sound under the terms of YouTube and its authors",
    long="start",
)
