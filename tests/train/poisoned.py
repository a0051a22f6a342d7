"""The toy stage with batches that spoil a run: targets far off, or not a number."""

from collections.abc import Mapping

import grain
import numpy as np

from tests.train.toy import ToyStage


class PoisonedStage(ToyStage):
    """Adds ``amount`` to the targets of the training batches whose numbers are in ``numbers``.

    ``errors``: raised in place of a batch, by its number.
    """

    numbers: range | tuple[int, ...] = ()
    amount: float = 1e4
    errors: Mapping[int, Exception] = {}

    def dataset(self, split, shard, seed):
        rows = super().dataset(split, shard, seed)
        return _Poison(rows, self) if split == "train" else rows


def poisoned(config, numbers=(), amount=1e4, errors=None) -> PoisonedStage:
    stage = PoisonedStage(config.stage, config.data)
    stage.numbers, stage.amount, stage.errors = numbers, amount, errors or {}
    return stage


class _Poison(grain.IterDataset):
    def __init__(self, parent, stage):
        super().__init__(parent)
        self._stage = stage

    def __iter__(self):
        return _PoisonIterator(iter(self._parent), self._stage)


class _PoisonIterator(grain.DatasetIterator):
    def __init__(self, parent, stage):
        super().__init__(parent)
        self._rows, self._stage = parent, stage
        self._count = 0

    def __next__(self):
        if self._count in self._stage.errors:
            raise self._stage.errors[self._count]
        batch = dict(next(self._rows))
        if self._count in self._stage.numbers:
            batch["y"] = batch["y"] + np.float32(self._stage.amount)
        self._count += 1
        return batch

    def names(self, number):
        return tuple(f"clip {number}-{i}" for i in range(self._stage.data.batch_size))

    def get_state(self):
        return {"rows": self._rows.get_state(), "count": self._count}

    def set_state(self, state):
        self._rows.set_state(state["rows"])
        self._count = state["count"]
