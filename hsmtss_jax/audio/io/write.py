"""Write .wav and .flac files block by block; they take their name only when complete.

L samples, C channels.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from hsmtss_jax.audio.io.errors import AudioError, reason

_FORMATS = {".wav": "WAV", ".flac": "FLAC"}


def write_audio(
    path: str | os.PathLike[str],
    samples: np.ndarray,
    sample_rate: int,
    *,
    subtype: str = "PCM_16",
) -> None:
    """Write float samples [L] or [L, C] as .wav or .flac, atomically.

    Values beyond [-1, 1] are clipped unless subtype is "FLOAT".

    Raises:
      AudioError: another suffix, a place that cannot be written, a subtype the format does not have, or
        samples that are not finite.
    """
    samples = np.asarray(samples, np.float32)
    samples = samples[:, None] if samples.ndim == 1 else samples
    if samples.ndim != 2:
        raise AudioError(f"{path}: samples are [L] or [L, C], not {samples.shape}")
    with open_writer(path, sample_rate, samples.shape[1], subtype=subtype) as writer:
        writer.write(samples)


class AudioWriter:
    """Append float blocks [l, C] to the file of ``open_writer``."""

    def __init__(self, file: soundfile.SoundFile, path: Path):
        self._file, self._path = file, path

    def write(self, samples: np.ndarray) -> None:
        samples = np.asarray(samples, np.float32)
        if not np.isfinite(samples).all():
            raise AudioError(f"{self._path}: refusing to write NaN or infinite samples")
        if self._file.subtype not in ("FLOAT", "DOUBLE"):
            samples = np.clip(samples, -1.0, 1.0)
        self._file.write(samples)


@contextlib.contextmanager
def open_writer(
    path: str | os.PathLike[str], sample_rate: int, channels: int, *, subtype: str = "PCM_16"
) -> Iterator[AudioWriter]:
    """Open a file for writing block by block; it takes its name only on success.

    When the body raises, the partial file is deleted and a file already at ``path`` is untouched.
    """
    path = Path(path)
    format_ = check_output(path, subtype)
    target = path.resolve()
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with soundfile.SoundFile(
            os.fsencode(part),
            "w",
            samplerate=sample_rate,
            channels=channels,
            format=format_,
            subtype=subtype,
        ) as file:
            yield AudioWriter(file, path)
        _rename(part, target, path)
    except soundfile.SoundFileError as error:
        raise AudioError(f"{path}: cannot be written ({reason(error)})") from error
    finally:
        part.unlink(missing_ok=True)


def check_output(path: Path, subtype: str = "PCM_16") -> str:
    """Return the libsndfile format to write ``path`` in; AudioError where it cannot be written."""
    format_ = _FORMATS.get(path.suffix.lower())
    if format_ is None:
        raise AudioError(
            f"{path}: output is written as .wav or .flac, not {path.suffix or 'no suffix'}"
        )
    if not soundfile.check_format(format_, subtype):
        raise AudioError(f"{path}: {format_} has no subtype {subtype}")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise AudioError(f"{path}: the folder {folder} does not exist")
    if path.exists() and not path.is_file():
        raise AudioError(f"{path}: exists and is not a file")
    if not os.access(folder, os.W_OK):
        raise AudioError(f"{path}: no permission to write in {folder}")
    return format_


def _rename(part: Path, target: Path, path: Path) -> None:
    try:
        os.replace(part, target)
    except OSError as error:
        raise AudioError(f"{path}: cannot be written ({reason(error)})") from error
