"""Make odd recordings: every format that libsndfile writes, whole or damaged in one of many ways."""

import dataclasses
import functools
import io
import shutil
import subprocess

import numpy as np
import soundfile

FORMATS = (
    *(("wav", "WAV", each) for each in ("PCM_16", "PCM_24", "PCM_32", "PCM_U8", "FLOAT", "DOUBLE")),
    *(("wav", "WAV", each) for each in ("ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610")),
    *(("aiff", "AIFF", "PCM_16"), ("au", "AU", "PCM_16"), ("caf", "CAF", "PCM_24")),
    *(("w64", "W64", "PCM_16"), ("rf64", "RF64", "FLOAT"), ("wav", "WAVEX", "PCM_24")),
    *(("flac", "FLAC", "PCM_16"), ("flac", "FLAC", "PCM_24"), ("ogg", "OGG", "VORBIS")),
    *(("opus", "OGG", "OPUS"), ("mp3", "MP3", "MPEG_LAYER_III")),
)
FOREIGN = {"m4a": ["-c:a", "aac"], "webm": ["-c:a", "libopus"], "mka": ["-c:a", "ac3"]}
RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000)
EXACT = {"whole", "wrong suffix", "junk behind", "zero length", "largest length", "odd length"}
LINEAR = {"WAV", "WAVEX", "AIFF", "AU", "CAF", "W64", "RF64", "FLAC"}


@dataclasses.dataclass(frozen=True)
class OddFile:
    """A file. frames: samples a channel that went into it, where none of them may be lost silently."""

    kind: str
    suffix: str
    content: bytes
    frames: int | None


def odd_file(rng: np.random.Generator) -> OddFile:
    """Draw a file."""
    if rng.random() < 0.06:
        return _no_sound(rng)
    suffix, form, subtype = FORMATS[rng.integers(len(FORMATS))]
    if rng.random() < 0.08 and shutil.which("ffmpeg"):
        suffix, form, subtype = str(rng.choice(list(FOREIGN))), "", ""
    sound, rate, nature = _sound(rng, subtype)
    content = _foreign(suffix) if not form else _encoded(sound, rate, form, subtype)
    damage = DAMAGES[rng.integers(len(DAMAGES))]
    name, changed = damage(rng, content)
    if name == "wrong suffix":
        suffix = str(rng.choice(["wav", "mp3", "flac", "m4a", "ogg", "aif"]))
    known = nature == "noise" and (name == "whole" or (name in EXACT and form in {"WAV", "WAVEX"}))
    kind = f"{form or suffix} {subtype}, {nature}, {name}"
    counted = known and form in LINEAR and "ADPCM" not in subtype and "GSM" not in subtype
    return OddFile(kind, suffix, changed, len(sound) if counted else None)


def _sound(rng: np.random.Generator, subtype: str) -> tuple[np.ndarray, int, str]:
    rate = 8_000 if subtype == "GSM610" else int(rng.choice(RATES))
    rate = 48_000 if subtype == "OPUS" else rate
    channels = 1 if subtype == "GSM610" else int(rng.choice([1, 1, 2, 2, 3, 6]))
    if subtype in ("MPEG_LAYER_III", "MS_ADPCM", "IMA_ADPCM"):
        channels = min(channels, 2)
    length = (
        int(rng.integers(1, rate // 2)) if rng.random() < 0.1 else int(rate * rng.uniform(0.2, 0.6))
    )
    x = 0.1 * rng.normal(size=(length, channels))
    nature = str(
        rng.choice(["noise"] * 6 + ["silent", "DC", "anti-phase", "hot", "faint", "not finite"])
    )
    if nature == "silent":
        x *= 0
    elif nature == "DC":
        x += 0.3
    elif nature == "anti-phase":
        x = np.repeat(x[:, :1], channels, axis=1) * (-1.0) ** np.arange(channels)
    elif nature == "hot":
        x *= 20
    elif nature == "faint":
        x *= 1e-4
    elif nature == "not finite":
        x[rng.integers(length)] = rng.choice([np.nan, np.inf, -np.inf, 1e38])
    if subtype not in ("FLOAT", "DOUBLE"):
        x = np.clip(np.nan_to_num(x), -1, 1)
        nature = "noise" if nature == "not finite" else nature
    return x, rate, nature


def _encoded(x: np.ndarray, rate: int, form: str, subtype: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, x, rate, format=form, subtype=subtype)
    return buffer.getvalue()


@functools.cache
def _foreign(suffix: str) -> bytes:
    """Return a second of sound as ffmpeg writes it."""
    name = {"m4a": "ipod", "webm": "webm", "mka": "matroska"}[suffix]
    noise = ["-f", "lavfi", "-i", "anoisesrc=d=0.5:a=0.1:r=48000:s=1"]
    flags = ["-movflags", "frag_keyframe+empty_moov"] if suffix == "m4a" else []
    command = ["ffmpeg", "-v", "quiet", *noise, *FOREIGN[suffix], *flags, "-f", name, "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _no_sound(rng: np.random.Generator) -> OddFile:
    suffix = str(rng.choice(["wav", "mp3", "flac", "m4a", "ogg", "opus", "aac", "webm"]))
    contents = {
        "empty": b"",
        "text": b"this is no sound\n" * 50,
        "web page": b"<!DOCTYPE html><html><body>404</body></html>",
        "random": rng.bytes(int(rng.integers(1, 5_000))),
        "zeros": bytes(int(rng.integers(1, 5_000))),
        "a header": b"RIFF\x24\0\0\0WAVEfmt ",
        "PNG": b"\x89PNG\r\n\x1a\n" + rng.bytes(500),
    }
    kind = str(rng.choice(list(contents)))
    return OddFile(f"no sound, {kind}", suffix, contents[kind], None)


def _whole(rng: np.random.Generator, content: bytes) -> tuple[str, bytes]:
    return ("wrong suffix" if rng.random() < 0.3 else "whole"), content


def _cut(rng: np.random.Generator, content: bytes) -> tuple[str, bytes]:
    return "cut", content[: int(rng.integers(len(content)))]


def _flipped(rng: np.random.Generator, content: bytes) -> tuple[str, bytes]:
    spoilt = bytearray(content)
    limit = len(content) if rng.random() < 0.5 else min(len(content), 100)
    for _ in range(int(rng.integers(1, 6))):
        spoilt[int(rng.integers(limit))] = int(rng.integers(256))
    return "bytes changed", bytes(spoilt)


def _sizes(rng: np.random.Generator, content: bytes) -> tuple[str, bytes]:
    at = content.find(b"data")
    if at < 0:
        return _flipped(rng, content)
    sizes = {
        "zero length": bytes(4),
        "largest length": b"\xff\xff\xff\xff",
        "odd length": b"\0\xf0\xff\x7f",
    }
    kind = str(rng.choice(list(sizes)))
    return kind, content[: at + 4] + sizes[kind] + content[at + 8 :]


def _junk(rng: np.random.Generator, content: bytes) -> tuple[str, bytes]:
    junk = rng.bytes(int(rng.integers(1, 300)))
    return (
        ("junk behind", content + junk) if rng.random() < 0.6 else ("junk before", junk + content)
    )


def _tagged(rng: np.random.Generator, content: bytes) -> tuple[str, bytes]:
    size = int(rng.integers(0, 120))
    return "ID3 before", b"ID3\x03\0\0\0\0\0" + bytes([size]) + rng.bytes(size) + content


def _joined(rng: np.random.Generator, content: bytes) -> tuple[str, bytes]:
    return "joined to itself", content + content


def _hole(rng: np.random.Generator, content: bytes) -> tuple[str, bytes]:
    first = int(rng.integers(len(content)))
    size = int(rng.integers(1, 400))
    middle = bytes(size) if rng.random() < 0.5 else b""
    return "a hole", content[:first] + middle + content[first + size :]


DAMAGES = (_whole, _whole, _cut, _flipped, _sizes, _junk, _tagged, _joined, _hole)
