"""The toy stage with batches that spoil a run: targets far off, or not a number."""

import grain
import numpy as np

from tests.train.toy import ToyStage


class PoisonedStage(ToyStage):
    """Adds ``amount`` to the targets of the training batches whose numbers are in ``numbers``."""

    numbers: range | tuple[int, ...] = ()
    amount: float = 1e4

    def dataset(self, split, shard, seed):
        rows = super().dataset(split, shard, seed)
        return _Poison(rows, self.numbers, self.amount) if split == "train" else rows


def poisoned(config, numbers=(), amount=1e4) -> PoisonedStage:
    stage = PoisonedStage(config.stage, config.data)
    stage.numbers, stage.amount = numbers, amount
    return stage


class _Poison(grain.IterDataset):
    def __init__(self, parent, numbers, amount):
        super().__init__(parent)
        self._how = (numbers, amount)

    def __iter__(self):
        return _PoisonIterator(iter(self._parent), *self._how)


class _PoisonIterator(grain.DatasetIterator):
    def __init__(self, parent, numbers, amount):
        super().__init__(parent)
        self._rows, self._numbers, self._amount = parent, numbers, amount
        self._count = 0

    def __next__(self):
        batch = dict(next(self._rows))
        batch["id"] = np.array([f"clip {self._count}-{i}" for i in range(len(batch["y"]))])
        if self._count in self._numbers:
            batch["y"] = batch["y"] + np.float32(self._amount)
        self._count += 1
        return batch

    def get_state(self):
        return {"rows": self._rows.get_state(), "count": self._count}

    def set_state(self, state):
        self._rows.set_state(state["rows"])
        self._count = state["count"]
