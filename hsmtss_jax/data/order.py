"""The order in which clips are visited: epochs by label, several data sets by their shares."""

from collections.abc import Sequence

import grain
import numpy as np

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.sources import ClipSource, balanced_epoch, label_cycle

# Of each data set: the records of an epoch or pass, and its share of the examples.
Order = Sequence[tuple[Sequence[int] | np.ndarray, float]]


def mixture_order(source: ClipSource, config: DataConfig, split: str) -> Order:
    """Return the target clip of each example; outside training it cycles until there are eval_examples."""
    if split == "train":
        return training_order(source, config)
    cycle = label_cycle(source.clips)
    return [([cycle[i % len(cycle)] for i in range(config.eval_examples)], 1.0)]


def training_order(source: ClipSource, config: DataConfig) -> Order:
    """Return an epoch of each data set, and its share of the examples."""
    order = []
    for part in source.parts:
        clips = (source.clips[i] for i in range(part.start, part.stop))
        epoch = np.array(balanced_epoch(clips, config.balance))
        order.append((part.start + epoch, part.weight))
    return order


def visit(order: Order, split: str, seed: int) -> grain.MapDataset:
    """Return the clip or record of example i; endless and shuffled for "train".

    Several data sets are interleaved by their shares, each shuffled by itself.
    """
    sets = []
    for k, (indices, _) in enumerate(order):
        own = seed if k == 0 else int(np.random.SeedSequence((seed, k)).generate_state(1)[0])
        dataset = grain.MapDataset.source(indices).seed(own)
        sets.append(dataset.shuffle().repeat() if split == "train" else dataset)
    if len(sets) == 1:
        return sets[0]
    return grain.MapDataset.mix(sets, [weight for _, weight in order])
