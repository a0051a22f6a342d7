"""Draw one example (a dict of numpy arrays) for a stage from an index and a Generator.

L samples of a window, N text tokens. Views are picklable callables for grain's random_map. Where a view
gives "text_ids" and "text_mask", it also gives "text_features" if the table of captions holds them.
"""

import hashlib
from typing import Any, Protocol

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.config import DataConfig
from hsmtss_jax.data import placement
from hsmtss_jax.data.mixing import Mixer
from hsmtss_jax.data.recipe import EXTRACT, REMOVE
from hsmtss_jax.data.records import RecordReader
from hsmtss_jax.data.sources import ClipSource
from hsmtss_jax.data.text_table import TextTable

P_CONCATENATE = (
    0.4  # of short clips in the clip view: further clips follow until the window is full
)
MAX_PAUSE = 0.3  # seconds between them

Example = dict[str, Any]  # numpy arrays and scalars

_CAPTIONS = {EXTRACT: "captions_target", REMOVE: "captions_other"}  # that a task may have


def caption_id(text: str) -> int:
    """Hash a caption to a stable non-negative int32, equal for equal texts whatever their case."""
    digest = hashlib.blake2b(text.strip().lower().encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") & 0x7FFFFFFF


def short_clips(config: DataConfig, train: bool) -> placement.ShortClips:
    """Return what becomes of short clips that are not mixed; outside training they start the window."""
    return config.short_clips if train else "pad"


class ClipView:
    """Draw a window of a clip, {"audio": float32 [L], "length": int32}, for AudioMAE and the codec.

    Training (``train``): short clips as ``config.short_clips`` says; where they are repeated, they may
    also be followed by other clips. Else they start the window.
    """

    def __init__(
        self, source: ClipSource, config: DataConfig, samples: int, *, train: bool
    ) -> None:
        self._source, self._samples = source, samples
        self._short = short_clips(config, train)
        self._augmented = train and config.augment

    def __call__(self, index: int, rng: np.random.Generator) -> Example:
        audio = self._source.audio(index)
        short = len(audio) < self._samples // 2
        if self._short == "repeat" and short and rng.random() < P_CONCATENATE:
            window, used = self._sequence(audio, rng)
        else:
            window, used = self._single(audio, rng)
        return {"audio": window, "length": np.int32(used)}

    def _single(self, audio: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        _, window, used = placement.draw(
            audio, self._samples, rng, short=self._short, augmented=self._augmented
        )
        return window, used

    def _sequence(self, audio: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        window = np.zeros(self._samples, np.float32)
        at = 0
        while at < self._samples:
            _, part, used = placement.draw(
                audio, self._samples - at, rng, short="pad", augmented=self._augmented
            )
            window[at:] = part
            end = at + used
            at = end + int(rng.uniform(0.01, MAX_PAUSE) * SAMPLE_RATE)
            audio = self._source.audio(int(rng.integers(len(self._source))))
        return window, end


class CaptionView:
    """Draw a window of a clip and one of its captions (outside training the first).

    Adds {"text_ids": int32 [N], "text_mask": bool [N], "caption_id": int32}.

    Args:
      source: the clips.
      config: the data config.
      samples: length of a window.
      texts: tokenises captions.
      train: captions are drawn, and clips augmented where ``config`` says so.
    """

    def __init__(
        self,
        source: ClipSource,
        config: DataConfig,
        samples: int,
        texts: TextTable,
        *,
        train: bool,
    ) -> None:
        self._source, self._samples, self._texts = source, samples, texts
        self._train, self._augmented = train, train and config.augment
        self._short = short_clips(config, train)

    def __call__(self, index: int, rng: np.random.Generator) -> Example:
        _, window, used = placement.draw(
            self._source.audio(index),
            self._samples,
            rng,
            short=self._short,
            augmented=self._augmented,
        )
        captions = self._source.clips[index].captions
        text = captions[int(rng.integers(len(captions))) if self._train else 0]
        return {
            "audio": window,
            "length": np.int32(used),
            "caption_id": np.int32(caption_id(text)),
            **self._texts(text),
        }


class MixtureView:
    """Draw a mixture on the fly.

    {"mixture", "target": float32 [L], "length": int32, "text_ids": int32 [N], "text_mask": bool [N],
    "task": int32 (0 extract, 1 remove), "present": bool (the text describes a sound of the mixture)}.
    """

    def __init__(self, mixer: Mixer, texts: TextTable) -> None:
        self._mixer, self._texts = mixer, texts

    def __call__(self, index: int, rng: np.random.Generator) -> Example:
        example = self._mixer.draw(index, rng)
        recipe = example.recipe
        waves = {
            "mixture": example.mixture,
            "target": example.target,
        }
        said = _instruction(example.length, recipe.text, recipe.task, self._texts)
        return waves | said | {"present": np.bool_(example.present)}


class MixtureReader(Protocol):
    """Read mixtures by number, as records of ``mixture_records.FIELDS``."""

    def __len__(self) -> int: ...
    def read(self, index: int) -> dict[str, Any]: ...


class PreparedMixtureView:
    """Read mixtures from disk, or made from a manifest, as ``MixtureView``, but for int16 samples.

    Args:
      reader: the mixtures.
      config: the data config.
      samples: their length, as the model needs it.
      texts: tokenises captions.
      train: task and captions are drawn anew.
    """

    def __init__(
        self,
        reader: MixtureReader,
        config: DataConfig,
        samples: int,
        texts: TextTable,
        *,
        train: bool,
    ) -> None:
        self._reader, self._config, self._samples = reader, config, samples
        self._texts, self._train = texts, train

    def __call__(self, index: int, rng: np.random.Generator) -> Example:
        record = self._reader.read(index)
        if len(record["mixture"]) != self._samples:
            raise ValueError(
                f"the mixtures have {len(record['mixture'])} samples, the model needs "
                f"{self._samples}: make them with --samples {self._samples}"
            )
        waves = {
            name: record[name] for name in ("mixture", "target")
        }  # int16 until they are a batch
        return waves | _recorded(record, self._config, rng, self._texts, train=self._train)


class MixtureFeatureView:
    """Read precomputed features of mixtures.

    {"s_mixture", "s_target": float16 [P, C], "length", "text_ids", "text_mask", "task", "present"}.

    Args:
      reader: the features.
      config: the data config.
      width: C, of S.
      texts: tokenises captions.
      train: target, task and captions are drawn anew.
    """

    def __init__(
        self,
        reader: RecordReader,
        config: DataConfig,
        width: int,
        texts: TextTable,
        *,
        train: bool,
    ) -> None:
        self._reader, self._config, self._width = reader, config, width
        self._texts, self._train = texts, train

    def __call__(self, index: int, rng: np.random.Generator) -> Example:
        record = self._reader.read(index)
        if self._train and rng.random() < 0.5:  # either of the two clips is the target
            record |= {"s_target": record["s_other"]} | {
                "captions_target": record["captions_other"],
                "captions_other": record["captions_target"],
            }
        features = {
            name: record[name].reshape(-1, self._width) for name in ("s_mixture", "s_target")
        }
        return features | _recorded(record, self._config, rng, self._texts, train=self._train)


def draw_text(
    record: Example, config: DataConfig, rng: np.random.Generator, *, train: bool
) -> tuple[str, int]:
    """Return a caption and a task for a mixture on disk: drawn in training, else the record's own.

    A task without a caption is not one that gives the record's target.
    """
    task = int(record["task"])
    if train:
        drawn = int(rng.random() < config.remove_probability)
        task = drawn if record[_CAPTIONS[drawn]] else 1 - drawn
    captions = record[_CAPTIONS[task]]
    return captions[int(rng.integers(len(captions))) if train else 0], task


def _recorded(
    record: Example, config: DataConfig, rng: np.random.Generator, texts: TextTable, *, train: bool
) -> Example:
    text, task = draw_text(record, config, rng, train=train)
    present = np.bool_(record.get("present", True))  # older records describe what is there
    return _instruction(record["length"], text, task, texts) | {"present": present}


def _instruction(length: int, text: str, task: int, texts: TextTable) -> Example:
    numbers = {"length": np.int32(length), "task": np.int32(task), "present": np.bool_(True)}
    return {**numbers, **texts(text)}
