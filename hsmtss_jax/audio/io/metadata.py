"""Read what a recording says of itself, for the files that are made of it."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

import soundfile

from hsmtss_jax.audio.io import foreign
from hsmtss_jax.audio.io.chunks import WavExtras, part_of, read_extras
from hsmtss_jax.audio.io.comments import FlacTags, read_flac_tags
from hsmtss_jax.audio.io.piece import Damaged
from hsmtss_jax.audio.io.sndfile import quiet
from hsmtss_jax.audio.io.spool import local_path
from hsmtss_jax.audio.io.tags import tags_before
from hsmtss_jax.audio.io.view import View

# What ffmpeg tells of the container, and what only the encoder of the result can say.
_NOT_KEPT = {
    *("software", "encoder", "encoded_by", "major_brand", "minor_version", "compatible_brands"),
    *("handler_name", "vendor_id", "creation_time", "duration", "language", "tlen", "bps"),
}


@dataclasses.dataclass(frozen=True)
class Metadata:
    """Describe a recording beside its sound.

    Attributes:
      tags: name -> text; the names are ffmpeg's ("title", "artist", "album", "date", "track", ...).
      extras: chunks and channel mask of a WAV file.
      flac: comments and pictures of a FLAC file.
      id3: the whole tag before the sound of an MP3 file.
      source: the file, whose pictures a film keeps.
    """

    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    extras: WavExtras = dataclasses.field(default_factory=WavExtras)
    flac: FlacTags | None = None
    id3: bytes = b""
    source: Path | None = None


def read_metadata(path: str | os.PathLike[str], start: int = 0, *, tags: bool = True) -> Metadata:
    """Read the metadata of a recording, or of its part from sample ``start`` on.

    tags: read more than the channel mask. What cannot be read is left out.
    """
    try:
        local = local_path(Path(path))
        extras = read_extras(local)
        if not tags:
            return Metadata(extras=WavExtras(mask=extras.mask), source=local)
        return Metadata(
            tags=_tags(local),
            extras=WavExtras(part_of(extras.chunks, start), extras.mask),
            flac=read_flac_tags(local),
            id3=_id3(local),
            source=local,
        )
    except OSError:
        return Metadata()


def _tags(path: Path) -> dict[str, str]:
    """Return the tags by libsndfile or, for what it lacks, by ffmpeg."""
    try:
        with quiet(loud=True), soundfile.SoundFile(os.fsencode(path)) as file:
            found = file.copy_metadata()
    except (soundfile.SoundFileError, TypeError, RuntimeError):
        backend = foreign.find_backend()
        try:
            found = {} if backend is None else backend.tags(path)
        except Damaged:
            found = {}
    if "tracknumber" in found:
        found["track"] = found.pop("tracknumber")
    return {
        name.lower(): text for name, text in found.items() if text and name.lower() not in _NOT_KEPT
    }


def _id3(path: Path) -> bytes:
    """Return the ID3v2 tags at the start of an MP3 file."""
    with View.whole(path).open() as file:
        end = tags_before(file)
        is_mpeg = file.at(end, 2)[:1] == b"\xff" and bool(file.at(end + 1, 1))
        return file.at(0, end) if end and is_mpeg and end < 1 << 26 else b""
