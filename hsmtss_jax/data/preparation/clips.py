"""Turn recordings into records: decode, mix down, resample, crop, round to 16 bits. L samples."""

import dataclasses
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.io import AudioError, AudioWarning, probe, read_blocks
from hsmtss_jax.data.preparation import storage
from hsmtss_jax.data.preparation.checks import LeftOut, refuse_audio
from hsmtss_jax.data.preparation.item import Item, Long, from_json
from hsmtss_jax.data.records import Fields, Record

FIELDS: Fields = {
    "id": "text",
    "audio": "audio",
    "sample_rate": "int",  # of the audio
    "captions": "texts",  # the first is the set's own
    "label": "text",
    "tags": "texts",  # from category to event
    "events": "texts",  # the tags that say what is heard
    "licence": "text",
    "source": "text",
    "group": "text",  # clips of one group may hold the same recording
}
SHORTEST_PIECE = 0.5  # of a piece's length: what is left of a recording below it is not used


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClipForm:
    """Describe the clips to write.

    Attributes:
      rate: of the audio [Hz].
      seconds: of a clip.
      long: of a recording longer than that, keep the whole, all its pieces, its start, or one piece at random
        (by its id).
      pad: fill short clips with zeros at the end.
    """

    rate: int = SAMPLE_RATE
    seconds: float = 10.0
    long: Long = "whole"
    pad: bool = False

    @property
    def samples(self) -> int:
        """Return the length L of a clip."""
        return round(self.seconds * self.rate)


def read_clips(path: Path, item: Item, form: ClipForm) -> Iterator[np.ndarray]:
    """Yield the clips of a recording, int16 [L]. Raises AudioError."""
    start, stop = _segment(path, item, form)
    whole = form.long == "whole"
    frames = 1 << 16 if whole else form.samples
    blocks: Iterator[np.ndarray] = (
        block[:, 0]
        for block in read_blocks(
            path, frames, sample_rate=form.rate, mono=True, start=start, stop=stop
        )
    )
    if whole:
        blocks = iter([np.concatenate(list(blocks) or [np.zeros(0, np.float32)])])
    first = True
    for block in blocks:
        if first or len(block) >= SHORTEST_PIECE * form.samples:
            yield _finish(block, form)
        if form.long in ("start", "random"):
            return
        first = False


def _segment(path: Path, item: Item, form: ClipForm) -> tuple[int, int | None]:
    """Return first and last sample to read, at the file's own rate."""
    if not item.start and not item.stop and form.long in ("whole", "pieces"):
        return 0, None
    info = probe(path)
    start = round(item.start * info.sample_rate)
    stop = min(info.frames, round(item.stop * info.sample_rate) or info.frames)
    if start >= stop:
        raise AudioError(f"{path}: it ends before {item.start:g} s, where its segment begins")
    wanted = round(form.seconds * info.sample_rate)
    if form.long == "random" and stop - start > wanted:
        rng = np.random.default_rng(zlib.crc32(item.id.encode()))
        start += int(rng.integers(stop - start - wanted + 1))
    if form.long in ("start", "random"):
        stop = min(stop, start + wanted)
    return start, stop


def _finish(x: np.ndarray, form: ClipForm) -> np.ndarray:
    x = np.clip(np.round(x * 32768.0), -32768, 32767).astype(np.int16)
    if form.pad and len(x) < form.samples:
        x = np.pad(x, (0, form.samples - len(x)))
    return x


@dataclasses.dataclass(frozen=True)
class ClipTask:
    """Make records of items. Picklable."""

    root: str
    form: ClipForm
    fields: ClassVar[Fields] = FIELDS

    def describe(self) -> dict[str, Any]:
        """Return what the records depend on beside the items, as plain JSON."""
        return dataclasses.asdict(self.form)

    def records(self, items: Sequence[Any], left_out: list[LeftOut]) -> Iterator[Record]:
        """Yield the records of items (JSON); add what cannot be used to ``left_out``."""
        for row in items:
            item = from_json(row)
            with warnings.catch_warnings(record=True) as notes:
                warnings.simplefilter("always", AudioWarning)
                yield from self._clips(item, left_out)
            left_out += [_left_out(item, "repaired", str(note.message)) for note in notes]

    def _clips(self, item: Item, left_out: list[LeftOut]) -> Iterator[Record]:
        try:
            with storage.reading(storage.join(self.root, item.path)) as path:
                for number, audio in enumerate(read_clips(path, item, self.form)):
                    if reason := refuse_audio(audio, self.form.rate):
                        kind = "silent" if reason == "silent" else "short"
                        left_out.append(_left_out(item, kind, reason))
                    else:
                        yield self._record(item, audio, number)
        except (AudioError, OSError) as error:
            said = str(error).rpartition(f"{item.path.rpartition('/')[2]}: ")[2]
            left_out.append(_left_out(item, "damaged", said))

    def _record(self, item: Item, audio: np.ndarray, number: int) -> Record:
        return {
            "id": f"{item.id}+{number}" if number else item.id,
            "audio": audio,
            "sample_rate": self.form.rate,
            "captions": list(item.captions),
            "label": item.label,
            "tags": list(item.tags),
            "events": list(item.events or item.tags),
            "licence": item.licence,
            "source": item.source,
            "group": item.group or item.id,
        }


def _left_out(item: Item, kind: str, reason: str) -> LeftOut:
    return LeftOut(item.path, item.split, kind, reason)
