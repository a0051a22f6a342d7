"""Build composites: single key strokes and single steps in natural sequences."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from corpus_build.containers import Package
from corpus_build.recordings import Meta, Row, load16
from corpus_build.waveform import SR, normalise, slug, trim, write

TYPING_CLIPS = {"train": 60, "test": 12}


def make_composites(
    roots: Mapping[str, str], rows: Sequence[Row], out: str, seed: int
) -> list[Meta]:
    """Build composites of rows of clips.csv -> metadata. roots: package -> folder."""
    packages = {name: Package(root) for name, root in roots.items()}
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[(row["composite"], row["split"], row["package"])].append(row)
    done: list[Meta] = []
    for (kind, split, name), parts in sorted(groups.items()):
        rng = random.Random(f"{seed}/{kind}/{split}/{name}")
        sounds = [normalise(load16(packages[name], row["path"])) for row in parts]
        for k in range(_clips(kind, split, len(sounds))):
            samples = sequence(sounds, kind == "typing", rng)
            done.append(_write(parts, kind, k, samples, out))
    return done


def _clips(kind: str, split: str, sounds: int) -> int:
    if kind == "typing":
        return TYPING_CLIPS[split]
    return max(3, min(12, sounds)) if sounds >= 2 else 0


def sequence(sounds: Sequence[np.ndarray], typing: bool, rng: random.Random) -> np.ndarray:
    """Concatenate the sounds at a steady pace, three to eight seconds."""
    duration = rng.uniform(3, 8)
    out = np.zeros(int((duration + 1.5) * SR), np.float32)
    t = rng.uniform(0, 0.2)
    pace = rng.uniform(0.09, 0.22) if typing else rng.uniform(0.33, 0.65)
    while t < duration:
        sound = rng.choice(sounds) * rng.uniform(0.5, 1.0)
        at = int(t * SR)
        sound = sound[: len(out) - at]
        out[at : at + len(sound)] += sound
        if typing:
            stroke = max(0.04, rng.gauss(pace, pace * 0.4))
            t += stroke + (rng.uniform(0.2, 0.7) if rng.random() < 0.06 else 0)
        else:
            t += max(0.2, rng.gauss(pace, 0.03))
    return normalise(trim(out))


def _write(parts: Sequence[Row], kind: str, k: int, samples: np.ndarray, out: str) -> Meta:
    first = parts[0]
    label, split, package = first["label"], first["split"], first["package"]
    name = f"composite-{slug(kind)}-{slug(package)[:20]}-{k:03d}"
    caption = f"someone walking: {label}"
    return {
        "file": write(out, split, label, name, samples),
        "seconds": round(len(samples) / SR, 3),
        "label": label,
        "caption": "someone types on a mechanical keyboard" if kind == "typing" else caption,
        "tags": first["tags"],
        "licence": first["licence"],
        "package": package,
        "source": ";".join(sorted({row["path"] for row in parts}))[:300],
        "split": split,
        "kind": "composite",
        "group": f"composite:{kind}:{package}",
        "bandwidth_hz": "",
    }
