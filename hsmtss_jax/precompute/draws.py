"""Draw mixtures by number, for what is computed of them job by job: all depends on the seed and the number.

L samples of a window.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grain

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.drawn_mixtures import example_dataset
from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.data.preparation.engine import assemble, made_before, plan_jobs, run_plan
from hsmtss_jax.data.preparation.jobs import Task
from hsmtss_jax.data.preparation.workers import Runner
from hsmtss_jax.data.records import DatasetCard
from hsmtss_jax.data.sets import open_clips
from hsmtss_jax.data.sources import Clip
from hsmtss_jax.progress import Progress

LICENCE = "As the clips: see the field licence."


@dataclasses.dataclass(frozen=True)
class Draws:
    """Draw mixtures of a data set by split and number. Picklable.

    Attributes:
      config: of the clips and of how they are mixed.
      counts: mixtures of each split; 0 leaves it out.
      samples: L.
      seed: of all that is random.
    """

    config: DataConfig
    counts: Mapping[str, int]
    samples: int
    seed: int

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield split and item (split, number) of every mixture."""
        for split, count in self.counts.items():
            yield from ((split, [split, number]) for number in range(count))

    def describe(self) -> dict[str, Any]:
        """Return what a mixture depends on beside its number: the settings, and which clips there are."""
        clips = {
            split: _clips_digest(self.config, split, count)
            for split, count in self.counts.items()
            if count
        }
        told = dataclasses.asdict(self.config)
        return {"config": told, "samples": self.samples, "seed": self.seed, "clips": clips}

    def clips(self, split: str) -> dict[str, Clip]:
        """Return the clips of a split by id."""
        return _clips(self.config, split)

    def example(self, split: str, number: int) -> MixtureExample:
        """Draw a mixture."""
        config = dataclasses.replace(self.config, eval_examples=self.counts[split])
        return _dataset(config, split, self.seed, self.samples)[number]


@functools.lru_cache(maxsize=4)
def _clips(config: DataConfig, split: str) -> dict[str, Clip]:
    return {clip.id: clip for clip in open_clips(config, split).clips}


@functools.lru_cache(maxsize=4)
def _clips_digest(config: DataConfig, split: str, count: int) -> str:
    total = hashlib.sha256(str(count).encode())
    for clip in _clips(config, split).values():
        total.update(f"{clip.id}\n{clip.samples}\n{clip.captions}\n".encode())
    return total.hexdigest()[:20]


@functools.lru_cache(maxsize=4)
def _dataset(
    config: DataConfig, split: str, seed: int, samples: int
) -> grain.MapDataset[MixtureExample]:
    return example_dataset(config, split, seed, samples=samples)


def name_of(split: str, number: int) -> str:
    """Return a mixture's id."""
    return f"{split}-{number:07d}"


def write_drawn(
    task: Task,
    draws: Draws,
    out: Path,
    description: str,
    runner: Runner,
    *,
    per_job: int,
    work: str = "",
    progress: Progress | None = None,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write what a task makes of drawn mixtures as a data set, or what is missing of it.

    Args:
      task: makes the records.
      draws: the mixtures.
      out: folder to write.
      description: of the data set.
      runner: does the jobs.
      per_job: mixtures of a file.
      work: folder or address of the parts of an unfinished set [beside ``out``].
      progress: takes mixtures done and mixtures in all.
      extra: further text files, name -> content.
    """
    plan = plan_jobs(task, draws.items(), out, per_job, work)
    if made_before(plan, out):
        return
    jobs = run_plan(task, plan, runner, progress)
    card = DatasetCard(name=out.name, description=description, licence=LICENCE)
    assemble(task, plan, jobs, out, card, report={"counts": dict(draws.counts)}, extra=extra or {})
