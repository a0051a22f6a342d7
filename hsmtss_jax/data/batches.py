"""Batches of a data set whose position is one number: how many examples all processes have drawn.

Example i comes from (seed, i) alone, so a position that one process saved moves any number of processes
with any number of workers to the same place.
"""

import copy
import dataclasses
import importlib.metadata
import itertools
import warnings
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import grain
import numpy as np

from hsmtss_jax.config import Shard
from hsmtss_jax.data.sources import to_float
from hsmtss_jax.data.worker import begin_worker

READ = grain.ReadOptions(num_threads=1, prefetch_buffer_size=2)  # of batches
_COMPARED = 64  # coming examples, by which an order is told from another


class OrderWarning(UserWarning):
    """Warn that a run that goes on will see other examples than it would have without a stop."""


class Batches(grain.IterDataset):
    """Batch this process's part of the examples.

    Args:
      order: clip or record of example i.
      examples: example i.
      batch_size: over all processes.
      shard: this process's part.
      workers: processes that read; 0 reads in this one.
      drop_remainder: leave out a last batch that is not full.
      name: of a clip or record, for reports.
    """

    def __init__(
        self,
        order: grain.MapDataset,
        examples: grain.MapDataset,
        *,
        batch_size: int,
        shard: Shard,
        workers: int,
        drop_remainder: bool,
        name: Callable[[int], str] = str,
    ) -> None:
        super().__init__()
        if batch_size % shard.count:
            raise ValueError(f"batch_size {batch_size} is no multiple of {shard.count} hosts")
        self.batch_size, self.order, self.name = batch_size, order, name
        self._examples, self._shard = examples, shard
        self._workers, self._drop_remainder = workers, drop_remainder
        self._read = READ

    def unbuffered(self) -> "Batches":
        """Return the same, made when they are asked for and not ahead: to time them."""
        same = copy.copy(self)
        same._read = grain.ReadOptions(num_threads=0, prefetch_buffer_size=0)  # noqa: SLF001
        return same

    def __iter__(self) -> "BatchIterator":
        return BatchIterator(self)

    def from_example(self, number: int) -> grain.DatasetIterator:
        """Return this process's batches from example ``number`` of all on."""
        part: grain.MapDataset = _Rows(self._examples[number:], self.batch_size, self._shard)
        part = part.batch(self.batch_size // self._shard.count, drop_remainder=self._drop_remainder)
        batches = part.map(_in_floats).to_iter_dataset(self._read)
        if self._workers > 0:
            _parse_flags()
            options = grain.MultiprocessingOptions(num_workers=self._workers)
            batches = batches.mp_prefetch(options, worker_init_fn=begin_worker)
        return iter(batches)


class _Rows(grain.MapDataset):
    """Give this process's rows of each batch, which are neighbours: row i is the same example everywhere."""

    def __init__(self, parent: grain.MapDataset, batch_size: int, shard: Shard) -> None:
        super().__init__(parent)
        self._batch_size, self._rows = batch_size, batch_size // shard.count
        self._first = shard.index * self._rows

    def __len__(self) -> int:
        whole, rest = divmod(len(self._parent), self._batch_size)
        return whole * self._rows + min(max(rest - self._first, 0), self._rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.slice(index)
        batch, row = divmod(index, self._rows)
        return self._parent[batch * self._batch_size + self._first + row]


class BatchIterator(grain.DatasetIterator):
    """Iterate over ``Batches``; ``close`` ends its threads and workers."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self._batches, self._next = batches, 0
        self._reading: grain.DatasetIterator | None = None

    def __next__(self) -> Any:
        self.start_prefetch()
        assert self._reading is not None
        batch = next(self._reading)
        self._next += self._batches.batch_size
        return batch

    def start_prefetch(self) -> None:
        """Begin to read, unless it has begun."""
        if self._closed:
            raise ValueError("this iterator is closed")
        if self._reading is None:
            self._reading = self._batches.from_example(self._next)
            self._reading.start_prefetch()

    def names(self, batch: int) -> tuple[str, ...]:
        """Return the clips or records of a batch, over all processes; batches count from 0."""
        whole = self._batches
        first = batch * whole.batch_size
        return tuple(whole.name(int(whole.order[first + i])) for i in range(whole.batch_size))

    def get_state(self) -> dict[str, Any]:
        """Return the position: of all processes, as plain JSON."""
        return dataclasses.asdict(
            Position(self._next, importlib.metadata.version("grain"), self._order_at(self._next))
        )

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Move to a position, also to one that grain's own iterators wrote.

        Raises:
          ValueError: it is no position.
        """
        position = read_position(state, self._batches.batch_size)
        now = self._order_at(position.next_example)
        if position.order is not None and position.order != now:
            warnings.warn(
                f"the examples come in another order than when this position was saved (grain "
                f"{position.grain}, here {importlib.metadata.version('grain')}; or the data set has "
                "changed): the run goes on, but not as it would have without a stop",
                OrderWarning,
                stacklevel=2,
            )
        self._stop()
        self._next = position.next_example

    def close(self) -> None:
        """End the reading threads and workers."""
        self._closed = True
        self._stop()

    def _stop(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def _order_at(self, start: int) -> int:
        order = self._batches.order
        stop = min(start + _COMPARED, len(order))
        coming = np.array([int(order[i]) for i in range(start, stop)], np.int64)
        return zlib.crc32(coming.tobytes())


@dataclasses.dataclass(frozen=True)
class Position:
    """Hold a place in a data set.

    X    order: of the examples that come, as a checksum; None: not known.
    """

    next_example: int
    grain: str
    order: int | None


def read_position(state: Mapping[str, Any], batch_size: int) -> Position:
    """Read a position; those of grain's iterators count the batches of one process.

    Raises:
      ValueError: it is none.
    """
    try:
        if "next_example" in state:
            return Position(int(state["next_example"]), str(state["grain"]), int(state["order"]))
        return Position(_batches_drawn(state) * batch_size, "", None)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            "the checkpoint's position in the data is of a form that is not known here: go on with the "
            "version that saved it, or begin a new --workdir"
        ) from error


def _batches_drawn(state: Mapping[str, Any]) -> int:
    """Count the batches in the state of grain's iterator, with or without workers."""
    if "next_index" in state:
        return int(state["next_index"])
    workers = itertools.chain(state["iterators_in_use_states"], state["future_states"].values())
    return sum(int(worker["next_index"]) for worker in workers)


def _in_floats(batch: dict[str, Any]) -> dict[str, Any]:
    """Convert what is int16 in a batch, sound, to float32: later than in an example, half is copied."""
    return {
        name: to_float(value) if value.dtype == np.int16 else value for name, value in batch.items()
    }


def _parse_flags() -> None:
    """Mark absl's flags as parsed: grain's workers read them, and only absl.app parses them."""
    from absl import flags

    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
