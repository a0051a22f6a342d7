"""Time the data pipeline alone, against the bare reading of the same records in the same run.

The kinds take turns, so that what else runs on the machine meets all alike; ratios hold there, numbers a
second are those of the hour.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from hsmtss_jax.config import DataConfig, Shard
from hsmtss_jax.data.pipeline import caption_dataset, clip_dataset, mixture_dataset, single_root
from hsmtss_jax.data.records import RecordReader, read_kinds
from hsmtss_jax.data.sets import open_clips

RAW = "raw read"
Read = Callable[[], int]  # reads some examples, returns how many


@dataclasses.dataclass(frozen=True)
class Throughput:
    """Store examples a second of the clock, and a second of this process's processor."""

    name: str
    per_second: float
    per_core_second: float
    of_raw: float  # the latter, relative to the raw read


def measure_throughput(
    config: DataConfig,
    split: str,
    *,
    samples: int,
    seconds: float,
    views: Sequence[str] = ("clip", "caption", "mixture"),
) -> list[Throughput]:
    """Time the raw read and the views that the data set serves.

    Args:
      config: of the data; its ``batch_size`` and ``workers`` are used.
      split: name of the split; "train" is augmented as the config says.
      samples: of a window.
      seconds: for each, in five turns.
      views: among clip, caption and mixture.

    Raises:
      OSError: the data are not prepared.
      ValueError: no view that the data serve.
    """
    iterators, reads = {}, {RAW: _raw(config, split)}
    for name in views:
        if dataset := _dataset(name, config, split, samples):
            iterators[name] = iter(dataset.unbuffered())
            reads[name] = _batches(iterators[name])
    if not iterators:
        raise ValueError(f"{config.root} serves none of {', '.join(views)}")
    try:
        return _time(reads, seconds)
    finally:
        for iterator in iterators.values():
            iterator.close()


def _time(reads: Mapping[str, Read], seconds: float, turns: int = 5) -> list[Throughput]:
    spent = {name: np.zeros(3) for name in reads}  # examples, clock, processor
    for read in reads.values():
        read()  # files are opened, workers begun
    for _ in range(turns):
        for name, read in reads.items():
            clock, core, count = time.perf_counter(), time.process_time(), 0
            while time.perf_counter() - clock < seconds / turns or not count:
                count += read()
            took = time.perf_counter() - clock, time.process_time() - core
            spent[name] += np.array([count, *took])
    rates = {name: (count / max(core, 1e-9)) for name, (count, _, core) in spent.items()}
    return [
        Throughput(name, float(count / clock), float(rates[name]), float(rates[name] / rates[RAW]))
        for name, (count, clock, _) in spent.items()
    ]


def _raw(config: DataConfig, split: str) -> Read:
    """Read sound as it lies on disk, in random order."""
    rng = np.random.default_rng(0)
    root = single_root(config)
    if root and "mixture" in read_kinds(root):
        reader, names = RecordReader(root, split), frozenset({"mixture", "target"})

        def read_mixtures() -> int:
            for index in rng.integers(len(reader), size=16):
                reader.read(int(index), names)
            return 16

        return read_mixtures
    source = open_clips(config, split)

    def read_clips() -> int:
        for index in rng.integers(len(source), size=16):
            source.samples(int(index))
        return 16

    return read_clips


def _batches(batches: Iterator[Mapping[str, np.ndarray]]) -> Read:
    return lambda: len(next(batches)["length"])


def _dataset(name: str, config: DataConfig, split: str, samples: int):  # type: ignore[no-untyped-def]
    root = single_root(config)
    mixtures = bool(config.manifest) or bool(root and "mixture" in read_kinds(root))
    settings = (config, split, Shard(), 0)
    if name == "mixture":
        return mixture_dataset(*settings, samples=samples, tokenizer=no_words)
    if mixtures:
        return None
    if name == "clip":
        return clip_dataset(*settings, samples=samples)
    return caption_dataset(*settings, samples=samples, tokenizer=no_words)


def no_words(texts: Sequence[str], max_tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """Tokenise every text to nothing: its time is not that of the pipeline."""
    shape = len(texts), max_tokens
    return np.zeros(shape, np.int32), np.zeros(shape, bool)
