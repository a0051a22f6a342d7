"""Frozen features of mixtures, computed once: the separator stages then skip AudioMAE.

Legend: B mixtures, L samples, P patches, C width of S.
"""

import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.bundles.bundle import Bundle, load_bundle
from hsmtss_jax.bundles.networks import read_encoders
from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.data.mixture_records import captions_of
from hsmtss_jax.data.pipeline import FEATURE_SOURCE
from hsmtss_jax.data.preparation.checks import LeftOut
from hsmtss_jax.data.preparation.workers import Runner, run_here
from hsmtss_jax.data.records import Fields, Record
from hsmtss_jax.data.sources import Clip
from hsmtss_jax.models.semantics import Encoders
from hsmtss_jax.precompute.draws import Draws, name_of, write_drawn
from hsmtss_jax.progress import Progress
from hsmtss_jax.sampling import apply_in_batches

FIELDS: Fields = {
    "id": "text",
    "s_mixture": "features",  # S of the mixture, of the target and of the other clip, each [P, C]
    "s_target": "features",
    "s_other": "features",
    "length": "int",  # samples in use
    "captions_target": "texts",  # of what s_target is, and of s_other; none of what has no name
    "captions_other": "texts",
    "task": "int",  # outside training: 0 extract, 1 remove
    "present": "int",  # whether the text describes a sound of the mixture
    "snr": "float",  # of the active parts, dB
    "licence": "text",
}
BATCH = 16
PER_JOB = 128  # mixtures of a file: 300 MB at the paper's size


def write_mixture_features(
    out: str | os.PathLike,
    audio_mae: Bundle,
    config: DataConfig,
    counts: Mapping[str, int],
    *,
    samples: int,
    seed: int = 0,
    dtype: Any = np.float32,
    progress: Progress | None = None,
    runner: Runner = run_here,
    work: str = "",
) -> None:
    """Write S of mixtures of ``config.root``, drawn as in training.

    The data set takes the place of ``data.root`` of the separator stages.

    Args:
      out: folder of the data set.
      audio_mae: computes S.
      config: of the clips and of how they are mixed.
      counts: mixtures of each split; 0 leaves it out.
      samples: L.
      seed: of all that is random.
      dtype: compute dtype.
      progress: takes mixtures done and mixtures in all.
      runner: does the jobs, files of 128 mixtures.
      work: folder or address of the parts of an unfinished set [beside ``out``].

    Raises ValueError when the bundle's windows have another number of samples, OSError when the clips are not
    prepared.
    """
    draws = Draws(config, counts, samples, seed)
    task = FeatureTask(audio_mae, draws, np.dtype(dtype).name)
    span = task.window
    if not 0 < samples <= span:
        raise ValueError(f"samples must be 1 to {span}, the AudioMAE's window, not {samples}")
    write_drawn(
        task,
        draws,
        Path(out),
        f"S of mixtures of two clips of {Path(config.root).name}, {samples} samples.",
        runner,
        work=work,
        per_job=PER_JOB,
        progress=progress,
        extra={FEATURE_SOURCE: audio_mae.digest + "\n"},
    )


class FeatureTask:
    """Make records of drawn mixtures' S. Picklable: with the place of the bundle, if it has one."""

    fields: ClassVar[Fields] = FIELDS

    def __init__(self, audio_mae: Bundle, draws: Draws, dtype: str) -> None:
        self._bundle, self._draws, self._dtype = audio_mae, draws, dtype

    def __getstate__(self) -> dict[str, Any]:
        """Return what a worker needs."""
        bundle = self._bundle if self._bundle.path is None else self._bundle.path.absolute()
        return {"bundle": bundle, "draws": self._draws, "dtype": self._dtype}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Read the bundle from its place."""
        bundle = state["bundle"]
        self._bundle = load_bundle(bundle) if isinstance(bundle, Path) else bundle
        self._draws, self._dtype = state["draws"], state["dtype"]

    @functools.cached_property
    def _encoders(self) -> Encoders:
        return read_encoders({"audio_mae": self._bundle}, jnp.dtype(self._dtype))

    @functools.cached_property
    def _encode(self) -> Callable[[jax.Array], jax.Array]:
        frozen = jax.device_put({"audio_mae": self._bundle.params})
        return functools.partial(jax.jit(functools.partial(_encode, self._encoders)), frozen)

    @property
    def window(self) -> int:
        """Return the samples of the AudioMAE's window."""
        return self._encoders.fbank.frames * 160

    def describe(self) -> dict[str, Any]:
        """Return what the records depend on beside the items, as plain JSON."""
        return {
            **self._draws.describe(),
            "audio_mae": self._bundle.digest,
            "dtype": self._dtype,
        }

    def records(self, items: Sequence[Any], left_out: list[LeftOut]) -> Iterator[Record]:
        """Yield the records of items (split, number)."""
        for start in range(0, len(items), BATCH):
            part = items[start : start + BATCH]
            examples = [self._draws.example(*item) for item in part]
            semantics = apply_in_batches(self._encode, _waves(examples), limit=BATCH)
            for item, example, s in zip(part, examples, semantics, strict=True):
                yield _record(name_of(*item), example, s, self._draws.clips(item[0]))


def _encode(encoders: Encoders, frozen: Mapping[str, Any], waves: jax.Array) -> jax.Array:
    """Encode waves [B, 3, L] to S, float16 [B, 3, P, C]."""
    size, kinds, samples = waves.shape
    s = encoders.local(frozen, waves.reshape(size * kinds, samples))
    return s.reshape(size, kinds, *s.shape[1:]).astype(np.float16)


def _waves(examples: list[MixtureExample]) -> np.ndarray:
    return np.stack([np.stack([e.mixture, e.target, e.other]) for e in examples])


def _record(
    name: str, example: MixtureExample, s: np.ndarray, clips: Mapping[str, Clip]
) -> dict[str, Any]:
    """Build the record of a mixture with S, float16 [3, P, C]."""
    target, other = clips[example.recipe.target], clips[example.recipe.other]
    captions = captions_of(example.recipe, target, other)
    mixture, of_target, of_other = (part.reshape(-1) for part in s)
    return {
        "id": name,
        "s_mixture": mixture,
        "s_target": of_target,
        "s_other": of_other,
        "length": example.length,
        "captions_target": captions.extract,
        "captions_other": captions.remove,
        "task": example.recipe.task,
        "present": int(example.present),
        "snr": example.snr,
        "licence": "; ".join(sorted({target.licence, other.licence})),
    }
