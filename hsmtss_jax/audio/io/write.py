"""Write sound block by block; files take their name only when they are complete. L samples, C channels."""

import contextlib
import dataclasses
import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from hsmtss_jax.atomic import replace_file
from hsmtss_jax.audio.io.chunks import complete, pack
from hsmtss_jax.audio.io.comments import FIRST, FlacTags, from_tags, replace_blocks
from hsmtss_jax.audio.io.encoding import Encoding, check_form, choose, clip_mode
from hsmtss_jax.audio.io.errors import AudioError, AudioWarning, reason
from hsmtss_jax.audio.io.foreign_write import Encode, find_encoder
from hsmtss_jax.audio.io.metadata import Metadata
from hsmtss_jax.audio.io.piece import Damaged
from hsmtss_jax.audio.io.resample import resampled_length
from hsmtss_jax.audio.io.splice import SplicedFile
from hsmtss_jax.audio.output import OutputOptions

WAV_BYTES = 2**32 - 2**25  # of samples beyond which a WAV file is written as RF64
_BLOCK = 1 << 16
_SHORT = {"wmav2": 4096}  # encoders that leave out their last samples, and how many may be
_FIELDS = (
    *("title", "copyright", "artist", "comment", "date", "album", "license", "genre"),
    *("track",),  # libsndfile's tracknumber
)


def write_audio(
    path: str | os.PathLike[str],
    samples: np.ndarray,
    sample_rate: int,
    options: OutputOptions | None = None,
) -> None:
    """Write float samples [L] or [L, C] in the format that the suffix names, atomically.

    Samples beyond 1 are handled as ``options.clip_mode`` says, with a warning where they are changed.

    Raises:
      AudioError: a suffix, a depth or a place that cannot be written, or samples that are not finite.
    """
    options = options or OutputOptions()
    samples = np.asarray(samples, np.float32)
    samples = samples[:, None] if samples.ndim == 1 else samples
    if samples.ndim != 2:
        raise AudioError(f"{path}: samples are [L] or [L, C], not {samples.shape}")
    encoding = check_output(path, options, sample_rate, samples.shape[1])
    peak = float(np.abs(samples).max(initial=0.0))
    if np.isfinite(peak) and (gain := overload_gain(path, encoding, options, peak)) != 1:
        samples = samples * np.float32(gain)
    with open_writer(
        path, sample_rate, samples.shape[1], encoding, options=options, frames=len(samples)
    ) as writer:
        for start in range(0, len(samples), _BLOCK):
            writer.write(samples[start : start + _BLOCK])


def overload_gain(
    path: str | os.PathLike[str], encoding: Encoding, options: OutputOptions, peak: float
) -> float:
    """Return the gain under which sound with such a peak is written; warn where it is not 1."""
    if peak <= 1 or clip_mode(encoding, options) != "rescale":
        return 1.0
    note = (
        f"{path}: samples reach {peak:.3g}: turned down by {20 * np.log10(peak):.1f} dB to fit, since "
        f"{encoding} ends at 1 (float WAV does not)"
    )
    warnings.warn(note, AudioWarning, stacklevel=3)
    return 1.0 / peak


class AudioWriter:
    """Take float blocks [l, C] of the file of ``open_writer``; ``peak`` is the largest sample so far."""

    def __init__(self, path: Path, encode: Encode, *, clamps: bool) -> None:
        self._path, self._encode, self._clamps = path, encode, clamps
        self.peak = 0.0

    def write(self, samples: np.ndarray) -> None:
        """Append the next block."""
        samples = np.asarray(samples, np.float32)
        if not np.isfinite(samples).all():
            raise AudioError(f"{self._path}: refusing to write NaN or infinite samples")
        self.peak = max(self.peak, float(np.abs(samples).max(initial=0.0)))
        self._encode(np.clip(samples, -1.0, 1.0) if self._clamps else samples)

    def close(self) -> None:
        """Warn of what was cut off."""
        if self._clamps and self.peak > 1.0 + 1e-6:
            note = f"{self._path}: samples reach {self.peak:.3g}: they are cut off at 1"
            warnings.warn(note, AudioWarning, stacklevel=2)


@contextlib.contextmanager
def open_writer(
    path: str | os.PathLike[str],
    sample_rate: int,
    channels: int,
    encoding: Encoding | None = None,
    *,
    options: OutputOptions | None = None,
    metadata: Metadata | None = None,
    frames: int | None = None,
) -> Iterator[AudioWriter]:
    """Open a file for writing block by block; it takes its name only on success.

    When the body raises, the partial file is deleted and a file already at ``path`` is untouched.

    Args:
      path: of the file; the folder must exist.
      sample_rate: of the samples [Hz]; they are resampled where the format lacks it.
      channels: C.
      encoding: how to write; None: as ``options`` and the suffix say.
      options: what to do with samples beyond 1.
      metadata: to write along.
      frames: how many samples there will be, where that is known.

    Raises:
      AudioError: it cannot be written.
    """
    path, options, metadata = Path(path), options or OutputOptions(), metadata or Metadata()
    encoding = encoding or check_output(path, options, sample_rate, channels)
    clamps = clip_mode(encoding, options) != "none"
    rate = encoding.rate(sample_rate)
    try:
        with replace_file(path.resolve()) as work:
            if encoding.encoder:
                program = find_encoder(video=encoding.form.video)
                assert program is not None  # ``choose`` found it
                opened = program.encode(work, encoding.target(rate, channels), metadata)
            else:
                opened = _libsndfile(work, encoding, rate, channels, metadata, frames)
            with opened as encode, _resampled(encode, sample_rate, rate, channels) as taken:
                writer = AudioWriter(path, taken, clamps=clamps)
                yield writer
                if encoding.encoder in _SHORT:
                    taken(np.zeros((_SHORT[encoding.encoder], channels), np.float32))
            writer.close()
    except (soundfile.SoundFileError, Damaged, OSError) as error:
        raise AudioError(f"{path}: cannot be written ({reason(error)})") from error


def check_output(
    path: str | os.PathLike[str],
    options: OutputOptions | None = None,
    sample_rate: int | None = None,
    channels: int = 1,
) -> Encoding:
    """Return how ``path`` is written; AudioError where it cannot be."""
    path, options = Path(path), options or OutputOptions()
    encoding = choose(path, options)
    clip_mode(encoding, options)
    check_form(path, encoding, sample_rate or 0, channels)
    check_place(path)
    return encoding


def check_place(path: Path) -> None:
    """Raise AudioError where no file can be written."""
    folder = path.resolve().parent
    if not folder.is_dir():
        raise AudioError(f"{path}: the folder {folder} does not exist")
    if path.exists() and not path.is_file():
        raise AudioError(f"{path}: exists and is not a file")
    if not os.access(folder, os.W_OK):
        raise AudioError(f"{path}: no permission to write in {folder}")


@contextlib.contextmanager
def _resampled(encode: Encode, rate: int, to_rate: int, channels: int) -> Iterator[Encode]:
    """Yield what resamples blocks [l, C] before they are encoded."""
    if rate == to_rate:
        yield encode
        return
    stream = soxr.ResampleStream(rate, to_rate, channels, dtype="float32", quality="VHQ")
    taken = given = 0

    def resample(block: np.ndarray) -> None:
        nonlocal taken, given
        taken += len(block)
        ready = stream.resample_chunk(np.ascontiguousarray(block), last=False)
        given += len(ready)
        encode(ready)

    yield resample
    rest = stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)
    due = max(0, resampled_length(taken, rate, to_rate) - given)
    encode(np.concatenate([rest, np.zeros((due, channels), np.float32)])[:due])


@contextlib.contextmanager
def _libsndfile(
    work: Path,
    encoding: Encoding,
    rate: int,
    channels: int,
    metadata: Metadata,
    frames: int | None,
) -> Iterator[Encode]:
    """Yield what encodes blocks with libsndfile into ``work``, tags and chunks among them."""
    settings = _settings(encoding, rate, channels, metadata, frames)
    splice = _splice(encoding, metadata, channels, settings)
    with work.open("r+b", buffering=_BLOCK) as raw:
        spliced = SplicedFile(raw, *splice.place)
        try:
            with soundfile.SoundFile(spliced, "w", **settings) as file:
                for name in () if splice.holds_tags else _FIELDS:
                    if name in metadata.tags and encoding.form.sndfile not in ("AU", "W64"):
                        field = "tracknumber" if name == "track" else name
                        setattr(file, field, metadata.tags[name])

                def encode(block: np.ndarray) -> None:
                    file.write(block)
                    if spliced.error is not None:
                        raise spliced.error

                yield encode
        finally:
            if spliced.error is not None:
                raise spliced.error
        spliced.finish()
    if settings["format"] in ("WAVEX", "RF64", "WAV"):
        mask = metadata.extras.mask
        complete(work, len(splice.place[2]), mask if _fits(mask, channels) else None)


def _settings(
    encoding: Encoding, rate: int, channels: int, metadata: Metadata, frames: int | None
) -> dict:
    level, mode = encoding.compression(rate, channels)
    form = encoding.form.sndfile
    width = {"8": 1, "16": 2, "24": 3, "double": 8}.get(encoding.depth, 4)
    if form == "WAV" and (frames or 0) * channels * width > WAV_BYTES:
        form = "RF64"
    elif form == "WAV" and _fits(metadata.extras.mask, channels):
        form = "WAVEX"
    return {
        "samplerate": rate,
        "channels": channels,
        "format": form,
        "subtype": encoding.subtype,
        "compression_level": level,
        "bitrate_mode": mode,
    }


@dataclasses.dataclass(frozen=True)
class _Splice:
    """Hold what ``SplicedFile`` takes: at, end, new; and whether the tags are in it."""

    place: tuple[int, int, bytes] = (0, 0, b"")
    holds_tags: bool = False


def _splice(encoding: Encoding, metadata: Metadata, channels: int, settings: dict) -> _Splice:
    """Return what is put into a file that libsndfile writes."""
    form, mask = settings["format"], metadata.extras.mask
    if form in ("WAV", "WAVEX", "RF64") and metadata.extras.chunks:
        chunks = metadata.extras.chunks
        at = 48 if form == "RF64" else 12
        info = any(chunk.name == b"LIST" and chunk.body[:4] == b"INFO" for chunk in chunks)
        return _Splice((at, at, pack(chunks)), info)
    if form == "FLAC":
        tags = metadata.flac or from_tags(metadata.tags)
        tags = tags.for_channels(channels, mask if _fits(mask, channels) else None)
        if tags != FlacTags():
            header = io.BytesIO()
            with soundfile.SoundFile(header, "w", **settings) as file:
                file.write(np.zeros((1, channels), np.float32))
            end, new = replace_blocks(header.getvalue(), tags)
            return _Splice((FIRST, end, new), holds_tags=True)
    if form == "MP3" and metadata.id3:
        return _Splice((0, 0, metadata.id3), holds_tags=True)
    return _Splice()


def _fits(mask: int | None, channels: int) -> bool:
    """Return whether a loudspeaker mask is one of so many channels; 0 is none in particular."""
    return mask is not None and mask.bit_count() in (0, channels)
