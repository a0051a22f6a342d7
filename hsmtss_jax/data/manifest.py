"""Manifests: folders of mixtures as text, one a line, chosen without reading their sound.

    FOLDER/manifest.json    seed, samples, number of mixtures, how they were chosen
    FOLDER/SPLIT.jsonl      recipe (clips, places, gains), task, text, tags, levels

Row i of a split comes from (seed, i) alone, so the file is the same from any number of processes.
"""

import collections
import concurrent.futures
import dataclasses
import functools
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.atomic import replace_folder
from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.levels import LevelTable
from hsmtss_jax.data.mixture_records import HEADER, manifest_file
from hsmtss_jax.data.order import mixture_order, visit
from hsmtss_jax.data.planner import Planner
from hsmtss_jax.data.recipe import recipe_row
from hsmtss_jax.data.sets import open_clips
from hsmtss_jax.data.sources import ClipSource
from hsmtss_jax.data.worker import begin_worker
from hsmtss_jax.progress import Progress

AHEAD = 4  # chunks a process that wait to be written


def write_manifest(
    folder: str | os.PathLike,
    config: DataConfig,
    counts: Mapping[str, int],
    *,
    samples: int,
    seed: int = 0,
    processes: int = 1,
    chunk: int = 2_000,
    progress: Progress | None = None,
) -> None:
    """Choose mixtures and write them, replacing a manifest that was there.

    Args:
      folder: to write.
      config: the clips, and how they are mixed.
      counts: mixtures of each split; 0 leaves it out.
      samples: length of a mixture.
      seed: of all that is random.
      processes: that choose.
      chunk: mixtures, or clips, that a process takes at a time.
      progress: takes mixtures done and mixtures in all.

    Raises ValueError for choices that no mixture can be made with, OSError when the clips are not prepared.
    """
    total, before = sum(counts.values()), 0
    with replace_folder(folder) as work:
        for split, count in counts.items():
            if not count:
                continue
            levels = work / "levels.npy"
            setting = dataclasses.replace(config, eval_examples=count)
            choice = _Choice(setting, split, samples, seed, levels)
            choice.levels.create()
            for _ in _in_chunks(choice.measure, len(choice.source), processes, chunk):
                pass
            with open(manifest_file(work, split), "w", encoding="utf-8") as out:
                for done, text in _in_chunks(choice.rows, count, processes, chunk):
                    out.write(text)
                    if progress:
                        progress(before + done, total)
            levels.unlink()
            before += count
        header = {
            "samples": samples,
            "seed": seed,
            "mixtures": dict(counts),
            "data": dataclasses.asdict(config),
        }
        (work / HEADER).write_text(json.dumps(header, indent=1))


class _Choice:
    """Choose the mixtures of a split. Pickled without what it has opened."""

    def __init__(self, config: DataConfig, split: str, samples: int, seed: int, path: Path) -> None:
        self._config, self._split = config, split
        self._samples, self._seed, self._path = samples, seed, path

    @functools.cached_property
    def source(self) -> ClipSource:
        return open_clips(self._config, self._split)

    @functools.cached_property
    def levels(self) -> LevelTable:
        return LevelTable(self._path, np.array([clip.samples for clip in self.source.clips]))

    @functools.cached_property
    def _planner(self) -> Planner:
        train = self._split == "train"
        return Planner(self.source, self._config, self._samples, self.levels, train=train)

    @functools.cached_property
    def _targets(self) -> Any:
        order = mixture_order(self.source, self._config, self._split)
        return visit(order, self._split, self._seed)

    def __getstate__(self) -> dict[str, Any]:
        opened = ("source", "levels", "_planner", "_targets")
        return {key: value for key, value in self.__dict__.items() if key not in opened}

    def measure(self, clips: range) -> str:
        """Measure the levels of some clips."""
        self.levels.measure(self.source, clips)
        return ""

    def rows(self, chunk: range) -> str:
        """Return the lines of some mixtures."""
        (targets,) = self._targets[chunk.start : chunk.stop].batch(len(chunk))
        rows = (self._row(i, int(target)) for i, target in zip(chunk, targets, strict=True))
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    def _row(self, index: int, target: int) -> dict[str, Any]:
        rng = np.random.default_rng((self._seed, index))
        drawn = self._planner.draw_recipe(target, rng)
        row = {"index": index, "split": self._split, "samples": self._samples}
        row |= recipe_row(drawn.recipe)
        for name, number in zip(("target", "other"), drawn.numbers, strict=False):
            clip = self.source.clips[number]
            row |= {f"label_{name}": clip.label, f"tags_{name}": sorted(clip.tags)}
        if known := self._planner.levels(drawn):
            row["levels"] = {name: round(value, 2) for name, value in vars(known).items()}
        return row


def _in_chunks(
    work: Callable[[range], str], count: int, processes: int, size: int
) -> Iterator[tuple[int, str]]:
    """Yield (numbers done, result) of every chunk of ``count`` numbers, in order."""
    chunks = [range(at, min(at + size, count)) for at in range(0, count, size)]
    if processes < 2 or len(chunks) < 2:
        yield from ((chunk.stop, work(chunk)) for chunk in chunks)
        return
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, context, _begin, (work,)) as pool:
        waiting: collections.deque[tuple[int, concurrent.futures.Future[str]]] = collections.deque()
        for chunk in chunks:
            waiting.append((chunk.stop, pool.submit(_call, chunk)))
            if len(waiting) > processes * AHEAD:
                done, result = waiting.popleft()
                yield done, result.result()
        for done, result in waiting:
            yield done, result.result()


_work: Callable[[range], str] | None = None  # of a worker, sent to it once


def _begin(work: Callable[[range], str]) -> None:
    global _work
    begin_worker(0, 1)
    _work = work


def _call(chunk: range) -> str:
    assert _work is not None
    return _work(chunk)
