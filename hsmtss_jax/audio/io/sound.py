"""Find out what a file holds before it is read: which decoder, how many samples, and what is missing.

Whoever separates a recording plans windows by its length, so the length must be right before the first
block. What a header says is checked against the bytes that are there: arithmetic for linear samples, the
frame headers for MP3, the last frame for FLAC, the pages for Ogg. Only where that leaves doubt, and for what
ffmpeg decodes, the whole file is decoded once to count its samples. Per hour of stereo at 44.1 kHz that takes
0.1 s (WAV), 0.6 s (FLAC, MP3) to 5 s (AAC), which is little beside minutes of separation; the answer is
kept for as long as the file does not change.
"""

import dataclasses
import functools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.io import flac, foreign, iff, mpeg, ogg, sndfile, wav
from hsmtss_jax.audio.io.errors import AudioError, reason
from hsmtss_jax.audio.io.layout import ForeignCodec, Layout, Stream
from hsmtss_jax.audio.io.piece import Damaged, Piece
from hsmtss_jax.audio.io.resample import Resampler, resampled_length
from hsmtss_jax.audio.io.spool import STDIN, local_path
from hsmtss_jax.audio.io.tags import tags_before
from hsmtss_jax.audio.io.view import View

_PARSERS = (
    wav.parse,
    flac.parse,
    ogg.parse,
    iff.parse_aiff,
    iff.parse_au,
    iff.parse_caf,
    mpeg.parse,
)
_WITHOUT = (
    "libsndfile cannot read it: m4a, mp4, aac, wma, amr, ac3, webm and the like take the ffmpeg program"
    " on PATH or `pip install av`"
)


@dataclasses.dataclass(frozen=True)
class Sound:
    """Hold the pieces of a file in order; the first one's rate and channels are the file's."""

    pieces: Sequence[Piece]
    notes: Sequence[str]
    format: str
    subtype: str

    @property
    def sample_rate(self) -> int:
        return self.pieces[0].sample_rate

    @property
    def channels(self) -> int:
        return self.pieces[0].channels

    @property
    def frames(self) -> int:
        """Return the samples per channel of all pieces, at the file's rate."""
        return sum(self._length(piece) for piece in self.pieces)

    def blocks(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
        """Yield float32 blocks [<= about size, C] from sample ``start`` to before ``stop``."""
        stop = self.frames if stop is None else stop
        for piece in self.pieces:
            length = self._length(piece)
            first, last = max(start, 0), min(stop, length)
            if first < last:
                yield from self._piece_blocks(piece, size, first, last)
            start, stop = start - length, stop - length

    def _length(self, piece: Piece) -> int:
        return resampled_length(piece.frames, piece.sample_rate, self.sample_rate)

    def _piece_blocks(self, piece: Piece, size: int, start: int, stop: int) -> Iterator[np.ndarray]:
        if piece.sample_rate == self.sample_rate:
            for block in piece.blocks(size, start, stop):
                yield _channels(block, self.channels)
            return
        resampler = Resampler(piece.sample_rate, self.sample_rate, self.channels, piece.frames)
        at = 0
        for block in piece.blocks(size, 0, piece.frames):
            block = resampler(_channels(block, self.channels))
            part = block[max(0, start - at) : max(0, stop - at)]
            at += len(block)
            if len(part):
                yield part


def inspect(path: str | os.PathLike[str]) -> Sound:
    """Return what a file holds.

    Raises:
      AudioError: the file is missing, a folder, not audio, empty or unreadable.
    """
    named = Path(path)
    _check(named)
    try:
        local = local_path(named)
        stat = local.stat()
        if stat.st_size == 0:
            raise AudioError(f"{named}: an empty file (0 bytes)")
        sound = _inspect(local, (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns))
    except Damaged as error:
        raise AudioError(f"{named}: not an audio file that can be read ({error})") from error
    except OSError as error:
        raise AudioError(f"{named}: cannot be read ({reason(error)})") from error
    if sound.frames == 0:
        raise AudioError(f"{named}: holds no samples")
    return sound


@functools.lru_cache(maxsize=64)
def _inspect(path: Path, version: tuple[int, ...]) -> Sound:
    """Inspect a file; ``version`` changes with its content."""
    whole = View.whole(path)
    with whole.open() as file:
        view = whole.cut(tags_before(file))
        if file.error:
            raise file.error
    try:
        if _is_container(view):
            raise ForeignCodec("a container of streams")  # frames of MP3 in it are not all there is
        layout = next((found for parse in _PARSERS if (found := parse(view))), None)
        return _libsndfile(layout or Layout([Stream(view, loud=True)]), known=layout is not None)
    except (Damaged, ForeignCodec) as error:
        return _foreign(path, view, error)


def _foreign(path: Path, view: View, error: Exception) -> Sound:
    """Inspect with ffmpeg what libsndfile refused with ``error``."""
    backend, known = foreign.find_backend(), _is_foreign(view, error)
    if backend is None:
        raise Damaged(_WITHOUT if known else str(error)) from error
    try:
        piece, notes = foreign.measure(path, backend)
    except Damaged as other:
        raise Damaged(str(other if known else error)) from other
    return Sound([piece], notes, piece.format, piece.subtype)


def _libsndfile(layout: Layout, *, known: bool) -> Sound:
    pieces: list[Piece] = []
    notes = list(layout.notes)
    for stream in layout.streams:
        try:
            piece, note = sndfile.measure(stream)
        except Damaged as error:
            if not pieces:
                raise
            notes.append(f"damaged: stream {len(pieces) + 1} cannot be decoded ({error})")
            continue
        if not known and piece.format == "MP3":
            raise Damaged("no frames of MPEG audio follow each other")  # libsndfile guesses
        pieces.append(piece)
        notes += [note] if note else []
    first = pieces[0]
    if any((p.sample_rate, p.channels) != (first.sample_rate, first.channels) for p in pieces):
        to = f"{first.sample_rate} Hz and {first.channels} channels"
        notes.append(f"its parts differ in rate or channels: all are converted to {to}")
    return Sound(pieces, notes, layout.format or first.format, first.subtype)


def _check(path: Path) -> None:
    """Raise AudioError where libsndfile would only report a system error."""
    if path == STDIN:  # whatever it is: a pipe, a socket, a file at any position
        return
    if not path.exists():
        raise AudioError(f"{path}: no such file")
    if path.is_dir():
        raise AudioError(f"{path}: a folder, not an audio file")
    if not (path.is_file() or path.is_fifo()):
        raise AudioError(f"{path}: neither a regular file nor a pipe")
    if not os.access(path, os.R_OK):
        raise AudioError(f"{path}: no permission to read it")


def _is_foreign(view: View, error: Exception) -> bool:
    """Return whether the first bytes are those of a format that ffmpeg reads and libsndfile does not."""
    if isinstance(error, ForeignCodec):
        return True
    with view.open() as file:
        head = file.at(0, 16)
    starts = (
        b"\x1aE\xdf\xa3",
        b"0&\xb2u\x8ef\xcf\x11",
        b"#!AMR",
        b"\x0bw",
        b"FLV",
        b"\0\0\x01\xba",
        b"caff",
    )
    boxes = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
    adts = head[:1] == b"\xff" and head[1:2] and head[1] & 0xF6 == 0xF0
    return head.startswith(starts) or head[4:8] in boxes or bool(adts) or head[8:12] == b"AVI "


def _is_container(view: View) -> bool:
    """Return whether the first bytes are those of MP4, Matroska, ASF, FLV or AVI."""
    with view.open() as file:
        head = file.at(0, 12)
    starts = (b"\x1aE\xdf\xa3", b"0&\xb2u\x8ef\xcf\x11", b"FLV")
    return head.startswith(starts) or head[4:8] == b"ftyp" or head[8:12] == b"AVI "


def _channels(block: np.ndarray, channels: int) -> np.ndarray:
    """Give a block [l, C] another number of channels: the mean, on all of them."""
    if block.shape[1] == channels:
        return block
    return np.repeat(block.mean(axis=1, keepdims=True, dtype=np.float32), channels, axis=1)
