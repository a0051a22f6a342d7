r"""Write mixtures to disk: ArrayRecord in TFDS layout, readable by the pipeline that mixes on the fly.

    python data/mixtures/prepare.py --root corpora/opensounds --out corpora/mixtures \
        --samples 40960 --train 20000 --validation 500 --test 500

Then train with ``data.root=corpora/mixtures``. A record keeps the captions of both clips, so task and
text are still drawn at each step; clips, places, SNR and augmentation are fixed. 40960 samples take
164 KB a mixture, 160000 take 640 KB.
"""

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.manifest import example_dataset
from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.data.records import DatasetCard, Fields, Split, write_dataset
from hsmtss_jax.data.sources import Clip, ClipSource

FIELDS: Fields = {
    "id": "text",
    "mixture": "audio",
    "target": "audio",
    "length": "int",  # samples in use, the rest is zero
    "captions_target": "texts",
    "captions_other": "texts",
    "task": "int",  # outside training: 0 extract, 1 remove
    "snr": "float",  # of the active parts, dB
    "target_id": "text",
    "other_id": "text",
    "label_target": "text",
    "label_other": "text",
    "licence": "text",
}


def main(argv: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=Path("corpora/opensounds"))
    parser.add_argument("--out", type=Path, default=Path("corpora/mixtures"))
    parser.add_argument("--samples", type=int, default=160000, help="of a window, at 16 kHz")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--no-augment", action="store_true", help="leave training clips as they are"
    )
    for split, count in (("train", 20000), ("validation", 500), ("test", 500)):
        parser.add_argument(f"--{split}", type=int, default=count, help="mixtures")
    args = parser.parse_args(argv)
    config = DataConfig(root=str(args.root), augment=not args.no_augment)
    counts = {name: getattr(args, name) for name in ("train", "validation", "test")}
    prepare(config, args.out, counts, args.samples, args.seed)


def prepare(config: DataConfig, out: Path, counts: dict[str, int], samples: int, seed: int) -> None:
    """Write ``counts[split]`` mixtures of each split (none for 0).

    Args:
      config: of the data set to mix.
      out: folder to write.
      counts: split -> number of mixtures.
      samples: L.
      seed: of all randomness.
    """
    splits = {
        name: Split(count, _records(config, name, count, samples, seed))
        for name, count in counts.items()
        if count
    }
    card = DatasetCard(
        name=out.name,
        description=f"Mixtures of two clips of {Path(config.root).name}, {samples} samples, 16 kHz.",
        licence="As the clips: see the field licence.",
    )
    write_dataset(out, card, FIELDS, splits)


def _records(
    config: DataConfig, split: str, count: int, samples: int, seed: int
) -> Iterator[dict[str, Any]]:
    config = dataclasses.replace(config, eval_examples=count)
    clips = {clip.id: clip for clip in ClipSource(config.root, split).clips}
    dataset = example_dataset(config, split, seed, samples=samples)
    for index in range(count):
        yield _record(f"{split}-{index:07d}", dataset[index], clips)


def _record(name: str, example: MixtureExample, clips: dict[str, Clip]) -> dict[str, Any]:
    recipe = example.recipe
    target, other = clips[recipe.target], clips[recipe.other]
    return {
        "id": name,
        "mixture": _int16(example.mixture),
        "target": _int16(example.target),
        "length": example.length,
        "captions_target": list(target.captions),
        "captions_other": list(other.captions),
        "task": recipe.task,
        "snr": example.snr,
        "target_id": target.id,
        "other_id": other.id,
        "label_target": target.label,
        "label_other": other.label,
        "licence": "; ".join(sorted({target.licence, other.licence})),
    }


def _int16(x: np.ndarray) -> np.ndarray:
    return np.clip(np.round(x * 32768.0), -32768, 32767).astype(np.int16)


if __name__ == "__main__":
    main()
