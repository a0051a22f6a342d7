"""Draw the mixtures of a split with their metadata, for evaluation: those of ``mixture_dataset``."""

import dataclasses
import os
from collections.abc import Iterator, Sequence
from typing import Any

import grain
import numpy as np

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.mixing import Mixer, MixtureExample
from hsmtss_jax.data.order import mixture_order
from hsmtss_jax.data.pipeline import examples
from hsmtss_jax.data.records import read_index
from hsmtss_jax.data.sets import open_clips


def mixture_examples(
    config: DataConfig, split: str, seed: int, count: int, *, samples: int
) -> Iterator[MixtureExample]:
    """Draw the first mixtures of a split: those of ``mixture_dataset``, with their metadata.

    Outside training the targets go round the labels, so a small count covers many.

    Args:
      config: the data set, and how clips are mixed.
      split: name of the split.
      seed: mixtures depend on it and on their number alone.
      count: number of mixtures.
      samples: length of a mixture.
    """
    config = dataclasses.replace(config, eval_examples=count)
    dataset = example_dataset(config, split, seed, samples=samples)
    for index in range(count):
        yield dataset[index]


def example_dataset(
    config: DataConfig, split: str, seed: int, *, samples: int
) -> grain.MapDataset[MixtureExample]:
    """Return MixtureExample by index, drawn as in training when split is "train"."""
    source, train = open_clips(config, split), split == "train"
    mixer = Mixer(source, config, samples, augmented=train and config.augment, train=train)
    return examples(mixture_order(source, config, split), _Draw(mixer), split, seed)


class _Draw:
    """Call Mixer.draw, picklable."""

    def __init__(self, mixer: Mixer) -> None:
        self._mixer = mixer

    def __call__(self, index: int, rng: Any) -> MixtureExample:
        return self._mixer.draw(index, rng)


def recording_groups(root: str | os.PathLike, split: str) -> dict[str, str]:
    """Return clip id -> the recording it was cut from (field ``group``), of clips that name one."""
    rows = read_index(root, split)
    return {row["id"]: str(row["group"]) for row in rows if row.get("group")}


def mixtures_of(
    config: DataConfig, split: str, seed: int, targets: Sequence[int], *, samples: int
) -> Iterator[MixtureExample]:
    """Yield a mixture for each of some clips; it depends on seed and target alone.

    Args:
      config: the data set, and how clips are mixed.
      split: name of the split.
      seed: of the mixtures.
      targets: numbers of clips in the split.
      samples: length of a mixture.
    """
    mixer = Mixer(open_clips(config, split), config, samples, augmented=False, train=False)
    for target in targets:
        yield mixer.draw(target, np.random.default_rng((seed, target)))
