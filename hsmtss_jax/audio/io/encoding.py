"""Choose how a file is written: by its name, by what was asked, and else as the recording it was made of."""

import dataclasses
import functools
import math
import os
import re
import warnings
from pathlib import Path

import numpy as np
import soundfile

from hsmtss_jax.audio.formats import (
    FORMATS,
    RATES,
    Format,
    format_of,
    nearest_depth,
    nearest_rate,
)
from hsmtss_jax.audio.io.errors import AudioError, AudioWarning
from hsmtss_jax.audio.io.foreign_write import Target
from hsmtss_jax.audio.io.foreign_write import find_encoder as find_program
from hsmtss_jax.audio.io.read import AudioInfo, probe
from hsmtss_jax.audio.io.spool import local_path
from hsmtss_jax.audio.output import OutputOptions

RATE_PER_CHANNEL = 96  # [kbit/s]
_SUBTYPES = {
    "8": "PCM_S8",
    "16": "PCM_16",
    "24": "PCM_24",
    "32": "PCM_32",
    "float": "FLOAT",
    "double": "DOUBLE",
    "ulaw": "ULAW",
    "alaw": "ALAW",
}
_DEPTHS = {
    **{subtype: depth for depth, subtype in _SUBTYPES.items()},
    "PCM_U8": "8",
    "ALAC_16": "16",
    "ALAC_20": "24",
    "ALAC_24": "24",
    "ALAC_32": "32",
    "PCM_F32LE": "float",
    "PCM_F64LE": "double",
    "WAVPACK": "24",
    "TTA": "24",
    "ALAC": "24",
    "FLAC": "24",
    "APE": "24",
}
_UNSIGNED = ("WAV", "RF64", "W64")  # their 8 bits
_CODECS = {
    "AAC": "aac",
    "OPUS": "libopus",
    "VORBIS": "libvorbis",
    "FLAC": "flac",
    "AC3": "ac3",
    "MP3": "libmp3lame",
    "MPEG_LAYER_III": "libmp3lame",
    "ALAC": "alac",
    "EAC3": "ac3",
    **{f"PCM_{kind}LE": "flac" for kind in ("S16", "S24", "S32")},
}
_EXACT = ("flac", "alac", "wavpack")  # codecs without a bit rate
_VORBIS_KBPS = (45, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 500)  # quality -0.1, 0, ... 1


@dataclasses.dataclass(frozen=True)
class Encoding:
    """Describe how a file is written; ``str`` of it is for people.

    Attributes:
      format: name in FORMATS.
      depth: of the samples, where the format leaves the choice; else "".
      encoder: ffmpeg's name of the codec; "" where libsndfile writes.
      bitrate: [kbit/s]; None for the usual quality.
    """

    format: str
    depth: str = ""
    encoder: str = ""
    bitrate: int | None = None

    @property
    def form(self) -> Format:
        """Return the format."""
        return FORMATS[self.format]

    @property
    def is_float(self) -> bool:
        """Return whether samples beyond 1 are kept."""
        return self.depth in ("float", "double")

    @property
    def subtype(self) -> str:
        """Return libsndfile's name of the codec."""
        if self.depth == "8" and self.form.sndfile in _UNSIGNED:
            return "PCM_U8"
        return self.form.subtype or _SUBTYPES[self.depth]

    def rate(self, wanted: int) -> int:
        """Return the sample rate [Hz] to write for a wanted one."""
        return nearest_rate(RATES.get(self.encoder or self.form.subtype, ()), wanted)

    def target(self, rate: int, channels: int) -> Target:
        """Return what ffmpeg is told, with less than the usual bit rate at low sample rates."""
        usual = RATE_PER_CHANNEL // (1 if rate >= 32_000 else 2) * channels
        kbps = None if self.encoder in _EXACT else self.bitrate or usual
        return Target(self.form, self.encoder, rate, channels, kbps)

    def compression(self, rate: int, channels: int) -> tuple[float | None, str | None]:
        """Return libsndfile's compression level and mode of bit rate."""
        codec, kbps = self.form.subtype, self.bitrate
        if codec == "MPEG_LAYER_III" and kbps is None:
            return 0.2, "VARIABLE"  # LAME's V2
        if codec == "MPEG_LAYER_III" and kbps is not None:
            low, high = (32, 320) if rate >= 32_000 else (8, 160 if rate >= 16_000 else 64)
            return float(np.clip((high - kbps) / (high - low), 0, 0.99)), "CONSTANT"
        if codec == "OPUS":
            each = RATE_PER_CHANNEL if kbps is None else kbps / channels
            return float(np.clip((256 - each) / 250, 0, 1)), None
        if codec == "VORBIS":
            quality = (
                6.0 if kbps is None else np.interp(kbps / channels * 2, _VORBIS_KBPS, _QUALITY)
            )
            return float(np.clip(1 - quality / 10, 0, 1)), None
        return None, None

    def __str__(self) -> str:
        names = {"ulaw": "mu-law", "alaw": "A-law"}
        depth = f"{self.depth}-bit" if self.depth.isdigit() else names.get(self.depth, self.depth)
        rate = f" at {self.bitrate} kbit/s" if self.bitrate else ""
        return f"{depth} {self.form.title}{rate}".strip()


_QUALITY = np.arange(-1, 11)


def choose(
    path: str | os.PathLike[str], options: OutputOptions, source: AudioInfo | None = None
) -> Encoding:
    """Return how to write ``path``, as ``source`` where nothing else was asked.

    Raises:
      AudioError: a suffix that is not written, a depth or a bit rate the format does not have, or an
        encoder that this machine lacks.
    """
    path = Path(path)
    name = options.format or format_of(path.suffix)
    if name is None:
        suffix = path.suffix or "a name without a suffix"
        names = ", ".join(FORMATS)
        raise AudioError(f"{path}: {suffix} is no format that is written: choose one of {names}")
    form = FORMATS[name]
    try:
        OutputOptions().replace(format=name, bit_depth=options.bit_depth, bitrate=options.bitrate)
        encoder = find_encoder(form, source.subtype if source else "")
    except ValueError as error:
        raise AudioError(f"{path}: {error}") from error
    known = _depth(source.subtype) if source else None
    depth = options.bit_depth or (form.depths and nearest_depth(form.depths, known or "16")) or ""
    encoding = Encoding(name, depth, encoder, options.bitrate)
    if source is not None and source.format == form.sndfile and not options.bit_depth:
        kept = known if form.depths else source.subtype == form.subtype
        if not kept:
            note = f"{path}: {source.format} with {source.subtype} is not written: it is {encoding}"
            warnings.warn(note, AudioWarning, stacklevel=2)
    return encoding


def plan_output(
    path: str | os.PathLike[str],
    source: str | os.PathLike[str],
    options: OutputOptions,
    *,
    mono: bool = False,
    length: int | None = None,
) -> Encoding:
    """Return how to write a result of a recording.

    Args:
      path: of the result; it is not looked at.
      source: the recording; one that cannot be read is passed over here.
      options: what was asked.
      mono: the result has one channel, whatever the recording has.
      length: samples of the recording that the result is of; None: all.

    Raises:
      AudioError: it cannot be written so.
    """
    path = Path(path)
    try:
        info = probe(source)
    except (ValueError, OSError):
        return choose(path, options)
    encoding = choose(path, options, info)
    clip_mode(encoding, options)
    check_form(path, encoding, info.sample_rate, 1 if mono else info.channels)
    if encoding.form.video:
        _check_film(path, source, encoding.form, part=length is not None and length < info.frames)
    return encoding


def clip_mode(encoding: Encoding, options: OutputOptions) -> str:
    """Return what becomes of samples beyond 1: "rescale", "clamp" or "none".

    Raises:
      AudioError: "none" is asked for in a format that ends at 1.
    """
    if options.clip_mode == "none" and not encoding.is_float:
        raise AudioError(f"clip mode none needs floats: {encoding} ends at 1")
    return options.clip_mode or ("none" if encoding.is_float else "rescale")


def default_format(suffix: str, options: OutputOptions) -> str:
    """Return the format of results of a recording with this suffix; "wav", with a warning, if not its own."""
    if options.format is not None:
        return str(options.format)
    name = format_of(suffix)
    if name is not None:
        name = FORMATS[name].sound or name
    why = "is not written"
    if name is not None:
        try:
            OutputOptions().replace(
                format=name, bit_depth=options.bit_depth, bitrate=options.bitrate
            )
            find_encoder(FORMATS[name])
            return name
        except ValueError as error:
            why = f"is not written ({error})"
    if options.bitrate:
        raise AudioError(f"{suffix} {why}: name a --format for the bit rate")
    what = suffix or "a name without a suffix"
    warnings.warn(f"{what} {why}: the results are wav", AudioWarning, stacklevel=2)
    return "wav"


def find_encoder(form: Format, codec: str = "") -> str:
    """Return ffmpeg's codec to write a format with, the recording's if possible; "" for libsndfile.

    Raises:
      AudioError: neither has one.
    """
    if form.sndfile and soundfile.check_format(form.sndfile, form.subtype or "PCM_16"):
        return ""
    program = find_program(video=form.video)
    if program is None:
        or_av = "" if form.video else " or `pip install av`"
        raise AudioError(f"{form.title} takes the ffmpeg program on PATH{or_av}")
    known = [each for each in form.encoders if program.has_encoder(each)]
    if not known:
        raise AudioError(f"this ffmpeg has no encoder for {form.title}")
    wanted = _CODECS.get(codec)
    return wanted if wanted in known else known[0]


def check_form(path: Path, encoding: Encoding, rate: int, channels: int) -> None:
    """Raise AudioError for channels that the format cannot hold; warn of a rate that it lacks."""
    form = encoding.form
    if channels > form.channels:
        raise AudioError(
            f"{path}: {form.title} holds {form.channels} channels at most, not {channels}: write wav"
        )
    if (written := encoding.rate(rate)) < rate:
        note = f"{path}: {form.title} has no {rate} Hz: it is written at {written} Hz"
        warnings.warn(note, AudioWarning, stacklevel=3)


def _check_film(path: Path, source: str | os.PathLike[str], form: Format, *, part: bool) -> None:
    """Raise AudioError for a film that cannot be made of ``source``, or of a part of it."""
    from hsmtss_jax.audio.io.ffmpeg_write import has_pictures, refusal

    local = local_path(Path(source))
    if not has_pictures(local):
        raise AudioError(f"{path}: {source} has no pictures: name a result like sound.m4a")
    if part:
        raise AudioError(
            f"{path}: a film is written whole: leave out start and end, or write sound"
        )
    if why := refusal(local, form.muxer):
        raise AudioError(f"{path}: {form.title} does not take the pictures of {source} ({why})")


@functools.cache
def _depth(subtype: str) -> str | None:
    """Return the depth of a codec by libsndfile's or ffmpeg's name, None where it has none."""
    if found := re.fullmatch(r"PCM_[SU](\d+)[LB]E", subtype):
        return str(math.ceil(int(found[1]) / 8) * 8)
    return _DEPTHS.get(subtype)
