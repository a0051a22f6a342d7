"""Read Hive's manifests: the single events that its mixtures are made of, each once.

    ROOT/metadata/train|val|test/2mix..5mix/*.json     lists of mixtures, as published
    ROOT/AudioSet, ROOT/BBC_Sound_Effects, ...         the twelve sets, as dataset_paths.json names them

A source is a chunk of a file [s] with one class of AudioSet. How Hive mixes it (gains, crops, which classes
may meet) is not taken over. Files may have another extension than the manifest says.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from hsmtss_jax.data.preparation.files import FileIndex, Found
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.names import label_text
from hsmtss_jax.data.preparation.tables import read_json

SPLITS = {"test": "test", "val": "validation", "train": "train"}
KEYS = {"path", "label", "chunk_start_second", "chunk_end_second"}


def read(place: Place) -> Iterator[Item]:
    """Yield every source once; what a held-out mixture uses is never in training."""
    files = FileIndex(place.where)
    seen: set[tuple[str, float]] = set()
    for folder, split in SPLITS.items():
        for path in _manifests(place.root, folder):
            for source in _sources(path):
                chunk = (source["path"], float(source["chunk_start_second"]))
                if chunk not in seen:
                    seen.add(chunk)
                    yield _item(source, split, files)


def _manifests(root: Path, folder: str) -> list[Path]:
    found = sorted(root.glob(f"metadata/{folder}/*/*.json")) or sorted(
        root.glob(f"{folder}/*/*.json")
    )
    if not found:
        raise FileNotFoundError(
            f"{root} has no metadata/{folder}/2mix/*.json: see data/hive/README.md"
        )
    return found


def _sources(path: Path) -> Iterator[Mapping[str, Any]]:
    mixtures = read_json(path)
    for mixture in mixtures if isinstance(mixtures, list) else [mixtures]:
        for source in mixture.get("sources", [{}]):
            if lacks := KEYS - set(source):
                raise ValueError(f"{path}: a source of {mixture.get('mix_id')} has no {min(lacks)}")
            yield source


def _item(source: Mapping[str, Any], split: str, files: FileIndex) -> Item:
    path, label = source["path"], label_text(source["label"])
    start, stop = float(source["chunk_start_second"]), float(source["chunk_end_second"])
    return Item(
        id=f"{PurePosixPath(path).with_suffix('')}@{start:g}",
        split=split,
        captions=(label,),
        label=label,
        tags=(label,),
        licence=f"as {path.partition('/')[0]}",
        source=path,
        group=path,
        start=start,
        stop=stop,
        **_find(path, files),
    )


def _find(path: str, files: FileIndex) -> Found:
    if files.has(path):
        return {"path": path, "found": True}
    pure = PurePosixPath(path)
    return files.find(pure.stem, pure.name, below=pure.parts[0])


LAYOUT = Layout(
    name="hive",
    title="Hive: single events of twelve sets, chosen by its manifests (Li et al., 2026).",
    read=read,
    licence="manifests Apache 2.0; sounds as their sets",
)
