"""List the formats that sound is written in: what they hold, and who encodes them.

Rates in Hz, bit depths by name: "8", "16", "24", "32" (whole numbers), "float", "double", "ulaw", "alaw".
"""

import dataclasses
from collections.abc import Mapping

_ALL_DEPTHS = ("ulaw", "alaw", "8", "16", "24", "32", "float", "double")
_MPEG_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
RATES: dict[str, tuple[int, ...]] = {  # by libsndfile's or ffmpeg's codec; any other takes any
    "MPEG_LAYER_III": _MPEG_RATES,
    "OPUS": _OPUS_RATES,
    "libmp3lame": _MPEG_RATES,
    "libopus": _OPUS_RATES,
    "aac": (*_MPEG_RATES, 64000, 88200, 96000),
    "wmav2": _MPEG_RATES,
    "ac3": (32000, 44100, 48000),
    "mp2": (16000, 22050, 24000, 32000, 44100, 48000),
    "libtwolame": (16000, 22050, 24000, 32000, 44100, 48000),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Format:
    """Describe a format.

    Attributes:
      suffixes: of its files, the usual one first.
      title: its name in a sentence.
      depths: of whole numbers or floats that it holds, where that is a choice.
      sndfile: libsndfile's name of the container, where libsndfile writes it.
      subtype: libsndfile's name of the codec; "" where the depth says it.
      encoders: ffmpeg's names of codecs, the usual one first.
      muxer: ffmpeg's name of the container.
      channels: most of them.
      exact: loses nothing but what the depth loses.
      video: holds pictures as well.
      sound: for a recording in this format, the format of results without pictures.
    """

    suffixes: tuple[str, ...]
    title: str
    depths: tuple[str, ...] = ()
    sndfile: str = ""
    subtype: str = ""
    encoders: tuple[str, ...] = ()
    muxer: str = ""
    channels: int = 1024
    exact: bool = False
    video: bool = False
    sound: str = ""


FORMATS: Mapping[str, Format] = {
    "wav": Format(
        suffixes=(".wav", ".wave", ".bwf"),
        title="WAV",
        depths=_ALL_DEPTHS,
        sndfile="WAV",
        exact=True,
    ),
    "rf64": Format(
        suffixes=(".rf64",), title="RF64", depths=_ALL_DEPTHS, sndfile="RF64", exact=True
    ),
    "w64": Format(suffixes=(".w64",), title="W64", depths=_ALL_DEPTHS, sndfile="W64", exact=True),
    "aiff": Format(
        suffixes=(".aiff", ".aif", ".aifc"),
        title="AIFF",
        depths=_ALL_DEPTHS,
        sndfile="AIFF",
        exact=True,
    ),
    "au": Format(
        suffixes=(".au", ".snd"), title="AU", depths=_ALL_DEPTHS, sndfile="AU", exact=True
    ),
    "caf": Format(suffixes=(".caf",), title="CAF", depths=_ALL_DEPTHS, sndfile="CAF", exact=True),
    "flac": Format(
        suffixes=(".flac",),
        title="FLAC",
        depths=("8", "16", "24"),
        sndfile="FLAC",
        channels=8,
        exact=True,
    ),
    "ogg": Format(
        suffixes=(".ogg", ".oga"),
        title="Ogg Vorbis",
        sndfile="OGG",
        subtype="VORBIS",
        encoders=("libvorbis",),
        muxer="ogg",
        channels=8,
    ),
    "opus": Format(
        suffixes=(".opus",),
        title="Opus",
        sndfile="OGG",
        subtype="OPUS",
        encoders=("libopus",),
        muxer="opus",
        channels=8,
    ),
    "mp3": Format(
        suffixes=(".mp3",),
        title="MP3",
        sndfile="MP3",
        subtype="MPEG_LAYER_III",
        encoders=("libmp3lame",),
        muxer="mp3",
        channels=2,
    ),
    "m4a": Format(
        suffixes=(".m4a", ".m4b"),
        title="M4A",
        encoders=("aac", "alac"),
        muxer="ipod",
        channels=8,
    ),
    "aac": Format(
        suffixes=(".aac",),
        title="AAC",
        encoders=("aac",),
        muxer="adts",
        channels=8,
    ),
    "wma": Format(
        suffixes=(".wma",),
        title="WMA",
        encoders=("wmav2",),
        muxer="asf",
        channels=2,
    ),
    "ac3": Format(
        suffixes=(".ac3",),
        title="AC-3",
        encoders=("ac3",),
        muxer="ac3",
        channels=6,
    ),
    "mp2": Format(
        suffixes=(".mp2",),
        title="MP2",
        encoders=("mp2", "libtwolame"),
        muxer="mp2",
        channels=2,
    ),
    "wv": Format(
        suffixes=(".wv",),
        title="WavPack",
        depths=("float",),
        encoders=("wavpack",),
        muxer="wv",
        exact=True,
    ),
    "mka": Format(
        suffixes=(".mka",),
        title="Matroska sound",
        encoders=("flac", "aac", "libopus", "libvorbis", "alac", "ac3", "libmp3lame"),
        muxer="matroska",
        channels=8,
    ),
    "mp4": Format(
        suffixes=(".mp4", ".m4v"),
        title="MP4",
        encoders=("aac", "alac", "ac3", "libmp3lame"),
        muxer="mp4",
        channels=6,
        video=True,
        sound="m4a",
    ),
    "mov": Format(
        suffixes=(".mov",),
        title="MOV",
        encoders=("aac", "alac", "ac3"),
        muxer="mov",
        channels=6,
        video=True,
        sound="m4a",
    ),
    "mkv": Format(
        suffixes=(".mkv",),
        title="Matroska film",
        encoders=("aac", "libopus", "libvorbis", "flac", "alac", "ac3", "libmp3lame"),
        muxer="matroska",
        channels=6,
        video=True,
        sound="flac",
    ),
    "webm": Format(
        suffixes=(".webm",),
        title="WebM",
        encoders=("libopus", "libvorbis"),
        muxer="webm",
        channels=8,
        video=True,
        sound="opus",
    ),
    "avi": Format(
        suffixes=(".avi",),
        title="AVI",
        encoders=("libmp3lame", "ac3"),
        muxer="avi",
        channels=2,
        video=True,
        sound="mp3",
    ),
}
_BY_SUFFIX = {suffix: name for name, each in FORMATS.items() for suffix in each.suffixes}


def format_of(suffix: str) -> str | None:
    """Return the name of the format that a suffix stands for (".FLAC": "flac"), or None."""
    return _BY_SUFFIX.get(suffix.lower())


def nearest_depth(depths: tuple[str, ...], wanted: str) -> str:
    """Return the depth to write for a wanted one: the least that loses nothing, else the best."""
    if wanted in depths:
        return wanted
    order = [depth for depth in _ALL_DEPTHS if depth in depths and depth not in ("ulaw", "alaw")]
    at = max(_ALL_DEPTHS.index(wanted), _ALL_DEPTHS.index("16") if wanted != "8" else 0)
    return next((depth for depth in order if _ALL_DEPTHS.index(depth) >= at), order[-1])


def nearest_rate(rates: tuple[int, ...], wanted: int) -> int:
    """Return the rate to write: ``wanted``, else the least above it, else the highest there is."""
    if not rates or wanted in rates:
        return wanted
    return min((rate for rate in rates if rate > wanted), default=max(rates))
