"""Pairs from folders of files: references, and beside them mixtures and texts where there are any."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.io import read_audio, resample, to_mono
from hsmtss_jax.evaluation.pairs import Pair
from hsmtss_jax.evaluation.routes import read_sound
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.task import Task

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus", ".aif", ".aiff")


def folder_pairs(
    references: str | Path,
    mixtures: str | Path | None = None,
    texts: str | Path | None = None,
) -> Iterator[Pair]:
    """Yield a pair for each reference, by name; a reference's NAME.wav is the target of the mixture NAME.wav.

    Without mixtures, a pair's mixture is NaN and improvements over it are undefined. texts: a CSV with
    columns name and text, and group where whole recordings are to be drawn in the bootstrap.

    Raises OSError for a folder or file that is not there, ValueError for a text or mixture that is missing.
    """
    files, mixed = sounds_in(references), sounds_in(mixtures) if mixtures else None
    described = read_texts(texts) if texts else {}
    for index, (name, file) in enumerate(files.items()):
        if texts and name not in described:
            raise ValueError(f"{texts} has no text for {name}")
        if mixed is not None and name not in mixed:
            raise ValueError(f"{mixtures} has no mixture {name}")
        sound = read_audio(file)
        target = resample(to_mono(sound.samples), sound.sample_rate, SAMPLE_RATE)
        line = described.get(name, {})
        text = line.get("text", "")
        yield Pair(
            index=index,
            mixture=read_sound(mixed[name], len(target)) if mixed else np.full_like(target, np.nan),
            target=target,
            instructions=(Instruction(Task.EXTRACT, text),),
            group=line.get("group") or name,
            snr_db=float(line.get("snr_db") or "nan"),
            caption=text,
            name=name,
        )


def sounds_in(folder: str | Path) -> dict[str, Path]:
    """Return name -> file of the sounds in a folder, in the order of their names.

    Raises FileNotFoundError when there is none, ValueError for two of one name.
    """
    where = Path(folder)
    if not where.is_dir():
        raise FileNotFoundError(f"no folder of sounds at {folder}: correct the path")
    found: dict[str, Path] = {}
    for file in sorted(where.iterdir()):
        if file.suffix.lower() in SUFFIXES and file.is_file():
            if file.stem in found:
                raise ValueError(f"{found[file.stem]} and {file.name} have one name: leave one")
            found[file.stem] = file
    if not found:
        raise FileNotFoundError(f"{folder} has no sounds ({', '.join(SUFFIXES)})")
    return found


def read_texts(path: str | Path) -> dict[str, Mapping[str, str]]:
    """Read name -> line of a CSV with columns name and text. Raises OSError, ValueError."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if not {"name", "text"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{path} has no columns name and text in its first line")
        return {line["name"]: line for line in reader}
