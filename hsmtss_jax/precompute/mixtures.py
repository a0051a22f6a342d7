"""Frozen features of mixtures, computed once: the separator stages then skip AudioMAE.

Legend: B mixtures, L samples, P patches, C width of S.
"""

import dataclasses
import functools
import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.networks import read_encoders
from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.drawn_mixtures import example_dataset
from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.data.mixture_records import captions_of
from hsmtss_jax.data.pipeline import FEATURE_SOURCE
from hsmtss_jax.data.records import DatasetCard, Fields, Split, write_dataset
from hsmtss_jax.data.sets import open_clips
from hsmtss_jax.data.sources import Clip
from hsmtss_jax.models.semantics import Encoders
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

    Raises ValueError when the bundle's windows have another number of samples, OSError when the clips are not
    prepared.
    """
    encoders = read_encoders({"audio_mae": audio_mae}, dtype)
    span = encoders.fbank.frames * 160
    if not 0 < samples <= span:
        raise ValueError(f"samples must be 1 to {span}, the AudioMAE's window, not {samples}")
    frozen = jax.device_put({"audio_mae": audio_mae.params})
    encode = functools.partial(jax.jit(functools.partial(_encode, encoders)), frozen)

    total = sum(counts.values())
    before = dict(zip(counts, itertools.accumulate(counts.values(), initial=0), strict=False))

    def records(split: str, count: int) -> Iterator[dict[str, Any]]:
        clips = {clip.id: clip for clip in open_clips(config, split).clips}
        setting = dataclasses.replace(config, eval_examples=count)
        dataset = example_dataset(setting, split, seed, samples=samples)
        for start in range(0, count, BATCH):
            indices = range(start, min(start + BATCH, count))
            examples = [dataset[i] for i in indices]
            semantics = apply_in_batches(encode, _waves(examples), limit=BATCH)
            for i, example, s in zip(indices, examples, semantics, strict=True):
                yield _record(f"{split}-{i:07d}", example, s, clips)
            if progress:
                progress(before[split] + start + len(examples), total)

    card = DatasetCard(
        name=Path(out).name,
        description=f"S of mixtures of two clips of {Path(config.root).name}, {samples} samples.",
        licence="As the clips: see the field licence.",
    )
    splits = {name: Split(n, records(name, n)) for name, n in counts.items() if n}
    extra = {FEATURE_SOURCE: audio_mae.digest + "\n"}
    write_dataset(out, card, FIELDS, splits, extra=extra)


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
