"""Keep what the networks made of a long recording, so that an interrupted separation goes on.

A state file holds a line of JSON, which says of what and how it was made, and a record for every window: the
gains or sounds that the renderer takes, and the cosines of the presence. Reading and rendering are done anew
on resume, from the start, so the result is that of an uninterrupted run, bit for bit, in every format. A
record that was cut off is dropped, and its batch computed again.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import io
import json
import os
import struct
import warnings
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from hsmtss_jax.audio.io import local_path
from hsmtss_jax.inference.recording import File, Recording
from hsmtss_jax.inference.stems import Stems

FORMAT = 1
_RECORD = struct.Struct("<III")  # window, bytes, CRC-32 of the bytes
_LONGEST_KEY = 1 << 20  # bytes

Arrays = dict[str, np.ndarray]


class ResumeWarning(UserWarning):
    """Warn of a state file that is not used, or cannot be kept."""


@dataclasses.dataclass(frozen=True)
class WindowState:
    """Hold what is kept of a window.

    made: what the renderer takes, by number. cosines, tokens: by place among the recording's queries.
    """

    made: Mapping[int, Any]
    cosines: Mapping[int, tuple[float, float]]
    tokens: Mapping[int, np.ndarray]


class Journal(Protocol):
    """Define where the windows of one recording are kept."""

    def recall(self, index: int) -> WindowState | None:
        """Return what is kept of a window."""

    def keep(self, index: int, state: WindowState) -> None:
        """Keep a window."""

    def close(self) -> None:
        """Let go of the file."""


class NoJournal:
    """Keep nothing."""

    def recall(self, index: int) -> WindowState | None:
        return None

    def keep(self, index: int, state: WindowState) -> None:
        return None

    def close(self) -> None:
        return None


class FileJournal:
    """Keep windows in a state file, which grows by a record a window."""

    def __init__(self, file: IO[bytes], path: Path, records: Mapping[int, tuple[int, int]]) -> None:
        """Take an open file that ends behind its last record; records: (offset, bytes) by window."""
        self._file, self._path, self._records = file, path, dict(records)
        self._broken = False

    @property
    def windows(self) -> int:
        """Return the number of windows that are kept."""
        return len(self._records)

    def recall(self, index: int) -> WindowState | None:
        if index not in self._records:
            return None
        offset, size = self._records[index]
        body = os.pread(self._file.fileno(), size, offset)
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            return _state({name: arrays[name] for name in arrays.files})

    def keep(self, index: int, state: WindowState) -> None:
        if self._broken or index in self._records:
            return
        body = io.BytesIO()
        np.savez(body, **_arrays(state))  # type: ignore[arg-type]
        content = body.getvalue()
        try:
            offset = self._file.tell() + _RECORD.size
            self._file.write(_RECORD.pack(index, len(content), zlib.crc32(content)) + content)
            self._file.flush()
        except OSError as error:
            self._broken = True
            warnings.warn(
                f"{self._path}: cannot be written ({error.strerror}): an interrupted run will start anew",
                ResumeWarning,
                stacklevel=2,
            )
        else:
            self._records[index] = (offset, len(content))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()


def open_journal(path: Path | None, recording: Recording, key: Mapping[str, Any]) -> Journal:
    """Open the state file of a recording, new where there is none that fits; None: keep nothing.

    key: what a result depends on beside the recording, as JSON. A file that is of something else is named
    in a ResumeWarning and replaced.
    """
    if path is None or not isinstance(recording, File):
        return NoJournal()
    key = json.loads(json.dumps({"format": FORMAT, **_identity(recording), **key}))
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
    except OSError as error:
        _warn(f"{path}: cannot be written ({error.strerror}): an interrupted run will start anew")
        return NoJournal()
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        _warn(f"{path}: another run is writing it: this one keeps nothing")
        return NoJournal()
    return FileJournal(file, path, _records(file, path, key))


def _records(file: IO[bytes], path: Path, key: Mapping[str, Any]) -> dict[int, tuple[int, int]]:
    """Return the records of a state file that fits, which is cut behind the last one, or of a new file."""
    line = file.readline(_LONGEST_KEY)
    if line and (other := _differences(line, key)):
        _warn(f"{path}: not used, it is of another {', '.join(other)}: starting anew")
    if not line or other:
        file.seek(0)
        file.truncate()
        file.write(json.dumps(key).encode() + b"\n")
        file.flush()
        return {}
    records, end = {}, file.tell()
    while len(head := file.read(_RECORD.size)) == _RECORD.size:
        index, size, crc = _RECORD.unpack(head)
        body = file.read(size)
        if len(body) < size or zlib.crc32(body) != crc:
            break
        records[index] = (end + _RECORD.size, size)
        end += _RECORD.size + size
    file.seek(end)
    file.truncate()
    return records


def _differences(line: bytes, key: Mapping[str, Any]) -> list[str]:
    """Return in what a state file differs from what is to be made."""
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return ["kind"]
    return [name for name in key if found.get(name) != key[name]]


def _identity(recording: File) -> dict[str, Any]:
    with local_path(recording.path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"recording": digest, "part": [recording.start, recording.length]}


def _arrays(state: WindowState) -> Arrays:
    """Return a window as named arrays."""
    arrays: Arrays = {}
    for number, made in state.made.items():
        if isinstance(made, Stems):
            arrays[f"target.{number}"] = made.target
            if made.residual is not None:
                arrays[f"residual.{number}"] = made.residual
        else:
            arrays[f"gains.{number}"] = made
    arrays |= {f"cosines.{place}": np.array(pair) for place, pair in state.cosines.items()}
    return arrays | {f"tokens.{place}": tokens for place, tokens in state.tokens.items()}


def _state(arrays: Arrays) -> WindowState:
    """Return the window that ``_arrays`` took apart."""

    def of(kind: str) -> Iterable[tuple[int, np.ndarray]]:
        names = (name.split(".") for name in arrays)
        return ((int(place), arrays[f"{kind}.{place}"]) for first, place in names if first == kind)

    residuals = dict(of("residual"))
    made: dict[int, Any] = {n: Stems(x, residuals.get(n)) for n, x in of("target")}
    return WindowState(
        made=made | dict(of("gains")),
        cosines={place: (float(pair[0]), float(pair[1])) for place, pair in of("cosines")},
        tokens=dict(of("tokens")),
    )


def _warn(text: str) -> None:
    warnings.warn(text, ResumeWarning, stacklevel=3)
