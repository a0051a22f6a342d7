"""Look at a data set before training on it: counts, levels, texts, mixtures, what its splits share.

Sound is measured on a sample of the clips of each split; the rest comes from the index.
"""

import collections
import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import fft

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.level import snr
from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.fingerprint import near_duplicates
from hsmtss_jax.data.levels import active_db, frame_energies
from hsmtss_jax.data.mixing import Mixer, MixtureExample
from hsmtss_jax.data.sets import open_clips
from hsmtss_jax.data.sources import FULL_SCALE, Clip, ClipSource, label_cycle, overlaps
from hsmtss_jax.task import TASKS

QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)
SILENT_DB, CLIPPED = -60.0, 0.999
SNR_EDGES = np.arange(-30.0, 31.0, 5.0)
ROLLOFF = 0.999  # of a spectrum's energy, for its bandwidth
BLOCK = 1024  # samples of it

Report = dict[str, Any]


def inspect_split(source: ClipSource, measured: Sequence[int]) -> Report:
    """Describe the clips of a split.

    Args:
      source: the clips.
      measured: numbers of those whose sound is read.
    """
    seconds, labels, licences, captions = [], [], [], []
    templates: collections.Counter[str] = collections.Counter()
    tags: collections.Counter[str] = collections.Counter()
    for clip in source.clips:
        seconds.append(clip.samples / SAMPLE_RATE)
        labels.append(clip.label)
        licences.append(clip.licence)
        captions.append(len(clip.captions))
        templates.update(template(text, clip) for text in clip.captions)
        tags.update(clip.events)
    sound = [measure_sound(source.samples(i)) for i in measured]
    total = sum(templates.values())
    return {
        "clips": len(source),
        "hours": round(sum(seconds) / 3600, 3),
        "seconds": quantiles(seconds),
        "labels": len(set(labels)),
        "most frequent labels": dict(collections.Counter(labels).most_common(10)),
        "events": len(tags),
        "licences": dict(collections.Counter(licences).most_common()),
        "captions a clip": quantiles(captions),
        "texts": len(source.texts()),
        "templates": len(templates),
        "most frequent templates": {
            name: round(count / max(1, total), 4) for name, count in templates.most_common(10)
        },
        "measured": len(sound),
        "active level [dB]": quantiles([each.level for each in sound]),
        "bandwidth [Hz]": quantiles([each.bandwidth for each in sound]),
        "silent": sum(each.level < SILENT_DB for each in sound),
        "clipped": sum(each.peak >= CLIPPED for each in sound),
    }


@dataclasses.dataclass(frozen=True)
class Sound:
    """Store the active level [dB], the peak and the bandwidth [Hz] of a clip."""

    level: float
    peak: float
    bandwidth: float


def measure_sound(samples: np.ndarray) -> Sound:
    """Measure a clip, int16 [n]."""
    energies = frame_energies(samples)
    peak = float(np.max(np.abs(samples.astype(np.int32)), initial=0)) / FULL_SCALE
    return Sound(active_db(energies), peak, bandwidth(samples))


def bandwidth(samples: np.ndarray) -> float:
    """Return the frequency below which all but a thousandth of a clip's energy lies [Hz]; 0 for silence."""
    x = np.zeros(max(1, -(-len(samples) // BLOCK)) * BLOCK, np.float32)
    x[: len(samples)] = samples
    window = np.hanning(BLOCK).astype(np.float32)
    power = np.sum(np.square(np.abs(fft.rfft(x.reshape(-1, BLOCK) * window, axis=1))), axis=0)
    total = np.cumsum(power, dtype=np.float64)
    if total[-1] <= 0:
        return 0.0
    return float(np.searchsorted(total, ROLLOFF * total[-1]) * SAMPLE_RATE / BLOCK)


def template(text: str, clip: Clip) -> str:
    """Return a caption with the words of its clip's label and events left out: what is said of any sound."""
    words = {part for name in (clip.label, *clip.events) for part in name.lower().split()}
    kept = ("_" if word.strip(".,") in words else word for word in text.lower().split())
    return " ".join(key for key, _ in itertools.groupby(kept))


def quantiles(values: Iterable[float]) -> Report:
    """Return least, 5 %, median, 95 % and largest; empty for none."""
    given = list(values)
    if not given:
        return {}
    named = ("least", "5 %", "median", "95 %", "most")
    return dict(zip(named, np.round(np.quantile(given, QUANTILES), 2).tolist(), strict=True))


def draw_examples(config: DataConfig, split: str, count: int, samples: int) -> list[MixtureExample]:
    """Draw mixtures of a split as training does, going round the labels."""
    source, train = open_clips(config, split), split == "train"
    mixer = Mixer(source, config, samples, augmented=train and config.augment, train=train)
    order = label_cycle(source.clips)
    return [mixer.draw(order[i % len(order)], np.random.default_rng((0, i))) for i in range(count)]


def inspect_mixtures(examples: Sequence[MixtureExample], clips: Mapping[str, Clip]) -> Report:
    """Describe mixtures. clips: of their split, by id."""
    pairs = [(clips[each.recipe.target], clips[each.recipe.other]) for each in examples]
    whole = [snr(each.target, each.other) for each in examples if each.present]
    active = [each.snr for each in examples if each.present]
    tasks = collections.Counter(TASKS[each.recipe.task].value for each in examples)
    return {
        "mixtures": len(examples),
        "tasks": dict(tasks),
        "sounds": dict(collections.Counter(2 + len(each.recipe.layers) for each in examples)),
        "absent": sum(not each.present for each in examples),
        "texts": len({each.recipe.text for each in examples}),
        "peak": quantiles([float(np.max(np.abs(each.mixture))) for each in examples]),
        "SNR of active parts [dB]": histogram(active),
        "SNR of whole windows [dB]": histogram(whole),
        "common events": sum(overlaps(a, b) for a, b in pairs),
        "common tags": sum(bool(a.tags & b.tags) for a, b in pairs),
        "common captions": sum(bool(set(a.captions) & set(b.captions)) for a, b in pairs),
    }


def histogram(values: Sequence[float]) -> dict[str, int]:
    """Count values in steps of 5 dB from -30 to 30, the rest at the ends."""
    edges = np.concatenate([[-np.inf], SNR_EDGES, [np.inf]])
    counts, _ = np.histogram(values, edges)
    names = [f"{low:.0f} to {high:.0f}" for low, high in itertools.pairwise(edges)]
    return {name: int(n) for name, n in zip(names, counts, strict=True) if n}


def shared_recordings(sources: Mapping[str, ClipSource], most: int) -> list[Report]:
    """Find recordings that stand in two splits, among ``most`` clips of each that go round the labels."""
    chosen = [
        (split, i) for split, source in sources.items() for i in label_cycle(source.clips)[:most]
    ]
    splits = [split for split, _ in chosen]

    def audio(number: int) -> np.ndarray:
        split, index = chosen[number]
        return sources[split].audio(index)

    names = [f"{split}: {sources[split].clips[i].id}" for split, i in chosen]
    found = near_duplicates(len(chosen), audio, splits)
    return [
        {
            "clips": [names[match.first], names[match.second]],
            "correlation": round(match.correlation, 3),
        }
        for match in sorted(found, key=lambda match: -match.correlation)
    ]
