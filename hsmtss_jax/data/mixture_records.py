"""Records of mixtures: made from a manifest when they are asked for, or written to disk in advance.

Both are the same 16-bit samples, so that a model sees the same either way, bit for bit.
"""

import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.atomic import current_folder
from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.index_rows import JsonLines
from hsmtss_jax.data.mixing import Mixer, MixtureExample
from hsmtss_jax.data.preparation.checks import LeftOut
from hsmtss_jax.data.preparation.engine import assemble, made_before, plan_jobs, run_plan
from hsmtss_jax.data.preparation.workers import Runner, run_here
from hsmtss_jax.data.recipe import EXTRACT, Recipe, read_recipe
from hsmtss_jax.data.records import DatasetCard, Fields, Record
from hsmtss_jax.data.sets import open_clips
from hsmtss_jax.data.sources import FULL_SCALE, Clip
from hsmtss_jax.progress import Progress

HEADER = "manifest.json"
FIELDS: Fields = {
    "id": "text",
    "mixture": "audio",
    "target": "audio",
    "length": "int",  # samples in use, the rest is zero
    "captions_target": "texts",  # that (extract, caption) may have with this target
    "captions_other": "texts",  # that (remove, caption) may have
    "task": "int",  # outside training: 0 extract, 1 remove
    "present": "int",  # whether the text describes a sound of the mixture
    "snr": "float",  # of the active parts, dB
    "target_id": "text",
    "other_id": "text",
    "label_target": "text",
    "label_other": "text",
    "licence": "text",
}


def manifest_file(folder: str | os.PathLike, split: str) -> Path:
    """Return the file of a split in a manifest."""
    return Path(folder) / f"{split}.jsonl"


@dataclasses.dataclass(frozen=True)
class Captions:
    """Hold the captions that an instruction to extract, or to remove, may have with a mixture's target."""

    extract: list[str]
    remove: list[str]


def captions_of(recipe: Recipe, target: Clip, other: Clip) -> Captions:
    """Return the captions of a recipe.

    Of two clips either may be described. Where more clips joined one of them, or the text describes what is
    not there, only the recipe's own task has its target.
    """
    if recipe.plain:
        return Captions(list(target.captions), list(other.captions))
    if recipe.caption_absent:
        described = [recipe.caption_absent]
    else:
        described = list((target if recipe.task == EXTRACT else other).captions)
    return Captions(described, []) if recipe.task == EXTRACT else Captions([], described)


class ManifestReader:
    """Make the mixtures of a manifest by number, as records of FIELDS. Picklable.

    Args:
      config: its manifest, and the clips that it was made of.
      split: name of the split.

    Raises:
      OSError: no such split.
    """

    def __init__(self, config: DataConfig, split: str) -> None:
        path = manifest_file(current_folder(config.manifest), split)
        if not path.is_file():
            raise OSError(
                f"no split {split!r} in the manifest {config.manifest}: make it by hsmtss data manifest"
            )
        self._rows = JsonLines(path)
        self._config, self._split = config, split

    def __len__(self) -> int:
        return len(self._rows)

    @functools.cached_property
    def _mixer(self) -> Mixer:
        samples = int(self._rows[0]["samples"])
        source = open_clips(self._config, self._split)
        return Mixer(source, self._config, samples, augmented=False, train=False)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_mixer"}

    def texts(self) -> list[str]:
        """Return every caption once, sorted."""
        return self._mixer.source.texts()

    def recipe(self, index: int) -> Recipe:
        """Return the recipe of mixture ``index``. Raises ValueError where there is none."""
        try:
            return read_recipe(self._rows[index])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{self._rows.path}:{index + 1} is no mixture recipe: {error!r}"
            ) from error

    def example(self, index: int) -> MixtureExample:
        """Make mixture ``index``. Raises ValueError for an unknown clip."""
        return self._mixer.rebuild(self.recipe(index))

    def read(self, index: int) -> dict[str, Any]:
        """Make the record of mixture ``index``."""
        example = self.example(index)
        clips = [self._mixer.clip(each) for each in (example.recipe.target, example.recipe.other)]
        return mixture_record(f"{self._split}-{index:07d}", example, *clips)


def mixture_record(name: str, example: MixtureExample, target: Clip, other: Clip) -> dict[str, Any]:
    """Return the record of a mixture.

    Args:
      name: its id.
      example: the mixture.
      target, other: its two clips.
    """
    captions = captions_of(example.recipe, target, other)
    return {
        "id": name,
        "mixture": _int16(example.mixture),
        "target": _int16(example.target),
        "length": example.length,
        "captions_target": captions.extract,
        "captions_other": captions.remove,
        "task": example.recipe.task,
        "present": int(example.present),
        "snr": example.snr,
        "target_id": target.id,
        "other_id": other.id,
        "label_target": target.label,
        "label_other": other.label,
        "licence": "; ".join(sorted({target.licence, other.licence})),
    }


def _int16(x: np.ndarray) -> np.ndarray:
    limit = int(FULL_SCALE)
    return np.clip(np.round(x * FULL_SCALE), -limit, limit - 1).astype(np.int16)


@dataclasses.dataclass(frozen=True)
class MixtureTask:
    """Make records of a manifest's mixtures, for the preparation engine; items are their numbers."""

    config: DataConfig
    digest: str  # of the manifest

    @property
    def fields(self) -> Fields:
        return FIELDS

    def describe(self) -> dict[str, Any]:
        sets = dataclasses.asdict(self.config)
        return {"manifest": self.digest, "root": sets["root"], "sets": sets["sets"]}

    def records(self, items: Sequence[Any], left_out: list[LeftOut]) -> Iterator[Record]:
        readers: dict[str, ManifestReader] = {}
        for split, number in items:
            if split not in readers:
                readers[split] = ManifestReader(self.config, split)
            yield readers[split].read(number)


def write_mixtures(
    out: str | os.PathLike,
    config: DataConfig,
    *,
    runner: Runner = run_here,
    work: str = "",
    per_file: int = 512,
    progress: Progress | None = None,
) -> Mapping[str, int]:
    """Write all mixtures of a manifest as a data set; return split -> how many.

    A run that was stopped goes on where it was.

    Args:
      out: folder of the data set.
      config: its manifest, and the clips that it was made of.
      runner: does the jobs, a file each.
      work: folder or address of the parts of an unfinished set [beside ``out``].
      per_file: mixtures of a file of records.
      progress: takes mixtures done and mixtures in all.

    Raises:
      OSError: no such manifest, or no such clips.
      ValueError: a mixture that cannot be made.
    """
    folder = current_folder(config.manifest)
    if not (folder / HEADER).is_file():
        raise OSError(f"no manifest in {config.manifest}: make one by hsmtss data manifest")
    told = json.loads((folder / HEADER).read_bytes())
    counts = {split: int(n) for split, n in told["mixtures"].items() if n}
    task = MixtureTask(config, _digest(folder, counts))
    items = ((split, (split, i)) for split, count in counts.items() for i in range(count))
    plan = plan_jobs(task, items, Path(out), per_file, work)
    if made_before(plan, Path(out)) is None:
        jobs = run_plan(task, plan, runner, progress)
        card = DatasetCard(
            name=Path(out).name,
            description=f"Mixtures of {told['samples']} samples, 16 kHz, of the manifest {folder.name}.",
            licence="As the clips: see the field licence.",
        )
        assemble(task, plan, jobs, Path(out), card, report={"mixtures": counts}, extra={})
    return counts


def _digest(folder: Path, splits: Mapping[str, int]) -> str:
    found = hashlib.sha256()
    for split in sorted(splits):
        with open(manifest_file(folder, split), "rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()
