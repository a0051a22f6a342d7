"""Read FSD50K: its folders ground_truth, metadata (licences, collection), dev_audio and eval_audio.

The ground truth's labels hold all their ancestors, and rare classes are merged with theirs. What raters said
is in metadata/collection: the text of a clip, as in the paper ("belly laugh,giggle"), comes from there, or
from the most special labels where that folder is missing. Which label is above which is read from the
table itself: an ancestor stands in every row that its descendant stands in.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from hsmtss_jax.data.preparation.files import FileIndex, table
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.names import joined_labels, label_text
from hsmtss_jax.data.preparation.tables import Row, read_json, read_rows

SPLITS = {"train": "train", "val": "validation", "": "test"}


def read(place: Place) -> Iterator[Item]:
    """Yield the clips of the development and the evaluation part."""
    files = FileIndex(place.where)
    parts = {
        "dev": list(read_rows(table(place.root, "dev.csv"), ("fname", "labels", "split"))),
        "eval": list(read_rows(table(place.root, "eval.csv"), ("fname", "labels"))),
    }
    above = ancestors(row["labels"].split(",") for rows in parts.values() for row in rows)
    for part, rows in parts.items():
        said = _collection(place.root, part)
        licences = _licences(place.root, part)
        for row in rows:
            yield _item(row, said.get(row["fname"], []), licences, above, part, files)


def ancestors(rows: Iterable[list[str]]) -> Mapping[str, frozenset[str]]:
    """Return label -> labels that are in all of its rows, and in more. rows: labels of each clip."""
    shared: dict[str, set[str]] = {}
    count: Counter[str] = Counter()
    for labels in rows:
        count.update(labels)
        for label in labels:
            shared[label] = shared.get(label, set(labels)) & set(labels)
    return {
        label: frozenset(other for other in others if count[other] > count[label])
        for label, others in shared.items()
    }


def _collection(root: Path, part: str) -> dict[str, list[str]]:
    try:
        path = table(root, f"collection/collection_{part}.csv", f"collection_{part}.csv")
    except FileNotFoundError:
        return {}
    rows = read_rows(path, ("fname", "labels"))
    return {row["fname"]: [name for name in row["labels"].split(",") if name] for row in rows}


def _licences(root: Path, part: str) -> dict[str, str]:
    clips = read_json(table(root, f"{part}_clips_info_FSD50K.json"))
    return {name: str(about.get("license", "")) for name, about in clips.items()}


def _item(
    row: Row,
    said: list[str],
    licences: Mapping[str, str],
    above: Mapping[str, frozenset[str]],
    part: str,
    files: FileIndex,
) -> Item:
    """Make the item of a clip.

    Args:
      row: of the ground truth.
      said: the raters' own labels, if known.
      licences: of all clips.
      above: label -> its ancestors.
      part: dev or eval.
      files: of the set.
    """
    name, labels = row["fname"], row["labels"].split(",")
    hidden = frozenset().union(*(above[label] for label in labels))
    leaves = [label for label in labels if label not in hidden] or labels
    texts = [label_text(label) for label in said or leaves]
    truth = sorted(labels, key=lambda label: (len(above[label]), label))
    return Item(
        id=name,
        split=SPLITS[row.get("split", "")],
        captions=(joined_labels(texts),),
        label=texts[0],
        tags=tuple(dict.fromkeys([*map(label_text, truth), *texts])),
        events=tuple(dict.fromkeys([*map(label_text, leaves), *texts])),
        licence=licences.get(name, ""),
        source=f"https://freesound.org/s/{name}",
        group=f"freesound:{name}",
        **files.find(name, below=part),
    )


LAYOUT = Layout(
    name="fsd50k",
    title="FSD50K: 51,197 clips of Freesound in 200 classes of AudioSet's ontology (Fonseca et al., 2020).",
    read=read,
    licence="CC-BY 4.0 as a whole; clips CC0, CC-BY, CC-BY-NC, CC Sampling+, see the field licence",
    expected={"train": 36796, "validation": 4170, "test": 10231},
    paper={"test": 10231},
)
