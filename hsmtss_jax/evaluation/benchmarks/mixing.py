"""From a pair list and recordings to pairs, mixed as they are asked for.

The noise is scaled by the power of all samples (not of the active ones), and a mixture beyond full
scale is brought to 0.9, target and all, as DCASE 2024 Task 9 does.

Legend: L samples.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.io import read_audio, resample, to_mono, write_audio
from hsmtss_jax.evaluation.benchmarks.pair_list import PairRow, write_pair_list
from hsmtss_jax.evaluation.pairs import Pair
from hsmtss_jax.evaluation.routes import FLOAT, fit
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.task import Task

SPARE = 1.0  # read beyond the piece, for the resampler [s]
CLIPPED = 0.9  # what the peak of a mixture beyond 1 is brought to
_NO_SOUND = {".csv", ".json", ".jsonl", ".md", ".txt", ".png", ".xlsx"}


class Mixed(NamedTuple):
    """Hold mixture and target, float32 [L]."""

    mixture: np.ndarray
    target: np.ndarray


class Recordings:
    """Find files of a folder of recordings by their paths, or else by their names, of any format.

    sample_rate: at which they are read and mixed [Hz].

    Raises FileNotFoundError when the folder is not there.
    """

    def __init__(self, folder: str | Path, sample_rate: int = SAMPLE_RATE) -> None:
        self.folder, self.sample_rate = Path(folder), sample_rate
        if not self.folder.is_dir():
            raise FileNotFoundError(f"no folder of recordings at {folder}: correct the path")
        files = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        self._by_stem = {path.stem: path for path in files if path.suffix.lower() not in _NO_SOUND}

    def find(self, name: str) -> Path | None:
        """Return the file that a pair list calls ``name``, or None."""
        path = self.folder / name
        return path if path.is_file() else self._by_stem.get(Path(name).stem)

    def missing(self, rows: Sequence[PairRow]) -> list[str]:
        """Return the names of files that are not there."""
        names = dict.fromkeys(n for row in rows for n in (row.target, row.other, row.mixture) if n)
        return [name for name in names if self.find(name) is None]

    def read(self, name: str, start: float = 0.0, seconds: float = 0.0) -> np.ndarray:
        """Read a recording from ``start`` on as mono, float32 [L], of ``seconds`` at most [all].

        Raises FileNotFoundError.
        """
        path = self.find(name)
        if path is None:
            raise FileNotFoundError(f"{self.folder} has no {name}, in any format")
        sound = read_audio(path)
        first = round(start * sound.sample_rate)
        last = first + math.ceil((seconds + SPARE) * sound.sample_rate) if seconds else None
        return resample(to_mono(sound.samples[first:last]), sound.sample_rate, self.sample_rate)


def make_pairs(
    rows: Sequence[PairRow],
    recordings: Recordings,
    indices: Sequence[int],
    tasks: Sequence[Task] = (Task.EXTRACT,),
) -> Iterator[Pair]:
    """Mix the pairs ``indices`` of a list, one at a time; pairs without a description to remove are
    only extracted.

    Raises FileNotFoundError for a recording that is not there, ValueError for a silent one.
    """
    for index in indices:
        row = rows[index]
        mixed = mix(row, recordings)
        texts = {Task.EXTRACT: row.text, Task.REMOVE: row.text_other}
        asked = tuple(Instruction(task, texts[task]) for task in tasks if texts[task])
        if asked:
            yield Pair(
                index=index,
                mixture=mixed.mixture,
                target=mixed.target,
                instructions=asked,
                group=row.group or row.name,
                snr_db=row.snr_db if row.other else math.nan,
                caption=row.text,
                name=row.name,
                sample_rate=recordings.sample_rate,
            )


def mix(row: PairRow, recordings: Recordings) -> Mixed:
    """Mix a pair, or read its ready mixture. Raises as ``make_pairs`` does."""
    target = recordings.read(row.target, row.start, row.seconds)
    samples = round(row.seconds * recordings.sample_rate) or len(target)
    target = fit(target, samples)
    if row.mixture:
        return Mixed(fit(recordings.read(row.mixture), samples), target)
    other = fit(recordings.read(row.other, row.start_other, row.seconds), samples)
    powers = [float(np.mean(np.square(x, dtype=np.float64))) for x in (target, other)]
    if not all(powers):
        silent = row.target if not powers[0] else row.other
        raise ValueError(f"{silent} is silent: the pair {row.name} has no ratio")
    other = other * math.sqrt(powers[0] / powers[1] / 10 ** (row.snr_db / 10))
    mixture = target + other.astype(np.float32)
    peak = float(np.abs(mixture).max())
    scale = np.float32(CLIPPED / peak if peak > 1 else 1.0)
    return Mixed(mixture * scale, target * scale)


def write_pairs(rows: Sequence[PairRow], recordings: Recordings, folder: str | Path) -> None:
    """Write references/NAME.wav, mixtures/NAME.wav (float) and texts.csv, for other programs."""
    where = Path(folder)
    for pair in make_pairs(rows, recordings, range(len(rows))):
        for kind, sound in (("references", pair.target), ("mixtures", pair.mixture)):
            (where / kind).mkdir(parents=True, exist_ok=True)
            write_audio(where / kind / f"{pair.name}.wav", sound, recordings.sample_rate, FLOAT)
    write_pair_list(where / "texts.csv", rows)
