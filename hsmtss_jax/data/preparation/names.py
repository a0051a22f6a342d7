"""Turn names into words, into splits, and into the names that files of a clip may have."""

import re
import zlib
from collections.abc import Iterable


def spoken(name: str) -> str:
    """Return a file's or a folder's name as words: "Dog_barking-loud" is "dog barking loud"."""
    return " ".join(re.sub(r"[_\-.+]+", " ", name).lower().split())


def label_text(name: str) -> str:
    """Return a class of AudioSet or FSD50K as the paper's texts write it: "hiccup", "ratchet and pawl"."""
    return " ".join(name.replace("_", " ").replace(", ", " and ").lower().split())


def joined_labels(labels: Iterable[str]) -> str:
    """Return several classes as one caption, as the paper does: "belly laugh,giggle"."""
    return ",".join(labels)


def drawn_split(name: str, validation: float = 0.0, test: float = 0.0) -> str:
    """Return the split of a recording by its name's hash, where a set has none.

    validation, test: shares of all recordings.
    """
    place = zlib.crc32(name.encode()) / 2**32
    return "test" if place < test else "validation" if place < test + validation else "train"


def youtube_names(video: str, start: float, stop: float) -> tuple[str, ...]:
    """Return the names that downloaders give to a segment of a video [s], the most exact first."""
    a, b = f"{start:.10g}", f"{stop:.10g}"
    return (
        f"{video}_{start * 1000:.0f}_{stop * 1000:.0f}",
        f"{video}_{start:.3f}_{stop:.3f}",
        f"{video}_{start:.6f}_{stop:.6f}",
        f"{video}_{int(start)}_{int(stop)}",
        f"{video}_{a}_{b}",
        f"{video}_{a}-{b}",
        f"{video}_{start:06.0f}",
        f"{video}_{start * 1000:.0f}",
        f"{video}_{int(start)}",
        f"Y{video}_{start:.3f}_{stop:.3f}",
        f"Y{video}",
        video,
    )
