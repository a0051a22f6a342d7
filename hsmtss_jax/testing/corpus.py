"""A tiny synthetic data set in the layout of the real one, for every test that needs data."""

import os
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.data.records import DatasetCard, Fields, Split, write_dataset

FIELDS: Fields = {
    "id": "text",
    "audio": "audio",
    "captions": "texts",
    "label": "text",
    "tags": "texts",
    "events": "texts",
    "licence": "text",
    "package": "text",
    "source": "text",
    "group": "text",
    "kind": "text",
    "bandwidth_hz": "int",
}

# label -> (captions, tags); the last tag is the event
LABELS = {
    "low tone": (["a low tone", "a low tone is playing", "low tone"], ["tone", "low tone"]),
    "high tone": (["a high tone", "a high tone is playing", "high tone"], ["tone", "high tone"]),
    "chirp": (["a chirp rises", "a rising chirp", "chirp"], ["sweep", "chirp"]),
    "noise": (["noise", "white noise is hissing", "hiss"], ["noise"]),
    "clicks": (["something clicks", "clicks", "clicking"], ["impulse", "clicks"]),
    "buzz": (["a machine buzzes", "a machine buzzing", "buzz"], ["machine", "buzz"]),
    "bell": (["a bell rings", "a bell ringing", "bell"], ["bell"]),
    "rumble": (["the ground rumbles", "a rumble", "rumble"], ["noise", "rumble"]),
}
COUNTS = {"train": 3, "validation": 1, "test": 1}  # clips a label


def write_tiny_corpus(folder: str | os.PathLike) -> Path:
    """Write 24 train, 8 validation and 8 test clips of 0.3 to 4 s with 8 labels, always the same.

    Returns the root for ``DataConfig(root=...)``.
    """
    root = Path(folder) / "tiny_corpus"
    splits = {}
    for split_index, (split, count) in enumerate(COUNTS.items()):
        records = [
            _record(label, split, k, np.random.default_rng((split_index, k, i)))
            for k in range(count)
            for i, label in enumerate(LABELS)
        ]
        splits[split] = Split(len(records), records)
    card = DatasetCard(name="tiny_corpus", description="Synthetic sounds for tests.")
    write_dataset(root, card, FIELDS, splits, per_shard=10)
    return root


def _record(label: str, split: str, k: int, rng: np.random.Generator) -> dict[str, object]:
    captions, tags = LABELS[label]
    seconds = (0.3, 1.2, 4.0)[k % 3] * rng.uniform(0.8, 1.0)
    samples = tone(label, round(seconds * SAMPLE_RATE), rng)
    return {
        "id": f"{label}/{split}-{k}",
        "audio": np.round(samples * 0.7 * 32767).astype(np.int16),
        "captions": captions,
        "label": label,
        "tags": tags,
        "events": tags[-1:],
        "licence": "CC0-1.0",
        "package": "synthetic",
        "source": f"{label}-{k}",
        "group": f"{label}-{split}-{k}",
        "kind": "rendered",
        "bandwidth_hz": 0,
    }


def tone(label: str, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Create a sound of the label, float64 [samples], peak 1."""
    t = np.arange(samples) / SAMPLE_RATE
    pitch = rng.uniform(0.9, 1.1)
    noise = rng.standard_normal(samples)
    sound = {
        "low tone": np.sin(2 * np.pi * 200 * pitch * t),
        "high tone": np.sin(2 * np.pi * 3000 * pitch * t),
        "chirp": np.sin(2 * np.pi * (300 + 1200 * t) * pitch * t),
        "noise": noise,
        "clicks": (np.arange(samples) % round(2000 * pitch) == 0).astype(float),
        "buzz": np.sign(np.sin(2 * np.pi * 90 * pitch * t)),
        "bell": np.exp(-4 * t) * np.sin(2 * np.pi * 1500 * pitch * t),
        "rumble": np.cumsum(noise) - np.linspace(0, np.sum(noise), samples),
    }[label]
    return sound / np.max(np.abs(sound))
