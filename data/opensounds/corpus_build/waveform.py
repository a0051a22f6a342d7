"""Convert files of any kind to trimmed, normalised 16 kHz mono pieces of at most ten seconds.

n samples, c channels; float32.
"""

import hashlib
import io
import os
import re
import struct
import subprocess

import numpy as np
import soundfile as sf
import soxr

from corpus_build.containers import extension

SR = 16000
SEG = 10.0  # seconds: longer recordings are cut into pieces of this length
MIN_SEG = 2.0  # a trailing piece shorter than this is dropped
PEAK = 0.7
AUDIBLE = 0.07  # a piece's peak relative to its recording's


def decode(data: bytes, path: str) -> tuple[np.ndarray, int]:
    """Decode samples [n, c] and rate; ffmpeg where soundfile fails. ValueError when both fail."""
    kind = extension(path)
    if kind not in ("g722", "wv"):
        try:
            return sf.read(io.BytesIO(data), dtype="float32", always_2d=True)
        except sf.LibsndfileError:
            pass
    source = ["-f", "g722"] if kind == "g722" else []
    command = ["ffmpeg", "-v", "error", *source, "-i", "pipe:0"]
    command += ["-f", "wav", "-c:a", "pcm_f32le", "pipe:1"]
    out = subprocess.run(command, input=data, capture_output=True, check=False).stdout
    at = out.find(b"data")
    if at < 0:
        raise ValueError(f"cannot decode {path}")
    channels, rate = struct.unpack("<HI", out[22:28])
    samples = np.frombuffer(out[at + 8 : len(out) - (len(out) - at - 8) % 4], dtype="<f4")
    return samples[: len(samples) // channels * channels].reshape(-1, channels).copy(), rate


def to_mono(x: np.ndarray) -> np.ndarray:
    """Average [n, c] -> [n] and remove the offset; one side alone where two would cancel."""
    mono = x.mean(1)
    if x.shape[1] == 2:
        energy = (x**2).mean(0)
        if (mono**2).mean() < 0.1 * energy.max():
            mono = x[:, int(energy.argmax())]
    return mono - mono.mean() if len(mono) else mono


def resample(x: np.ndarray, rate: int) -> np.ndarray:
    """Resample [n] at ``rate`` to 16 kHz."""
    x = x.astype(np.float32)
    return x if rate == SR else soxr.resample(x, rate, SR, quality="HQ")


def trim(x: np.ndarray, db: float = -55.0, pad: float = 0.03) -> np.ndarray:
    """Cut what is ``db`` below the loudest 10 ms at both ends, except ``pad`` seconds of it."""
    hop = SR // 100
    count = len(x) // hop
    if count < 3:
        return x
    level = np.sqrt((x[: count * hop].reshape(count, hop) ** 2).mean(1))
    active = np.flatnonzero(level > level.max() * 10 ** (db / 20))
    if not len(active):
        return x
    extra = int(pad * SR)
    return x[max(0, active[0] * hop - extra) : min(len(x), (active[-1] + 1) * hop + extra)]


def fade(x: np.ndarray, ms: int = 4) -> np.ndarray:
    """Apply linear fades at both ends."""
    n = min(len(x) // 4, SR * ms // 1000)
    if n > 1:
        ramp = np.linspace(0, 1, n, dtype=np.float32)
        x = x.copy()
        x[:n] *= ramp
        x[-n:] *= ramp[::-1]
    return x


def normalise(x: np.ndarray) -> np.ndarray:
    """Scale the peak to PEAK; silence is unchanged."""
    top = np.abs(x).max() if len(x) else 0
    return x * (PEAK / top) if top > 1e-5 else x


def pieces(x: np.ndarray) -> list[np.ndarray]:
    """Cut into pieces of at most SEG seconds, without the near-silent ones."""
    n = int(SEG * SR)
    if len(x) <= n + int(MIN_SEG * SR):
        return [x[:n]]
    cut = [x[i : i + n] for i in range(0, len(x), n) if len(x[i : i + n]) >= MIN_SEG * SR]
    top = np.abs(x).max()
    return [piece for piece in cut if np.abs(piece).max() > AUDIBLE * top]


def slug(text: str) -> str:
    """Keep lower-case letters and digits, and replace the rest by dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def stable(text: str) -> int:
    """Compute a 32-bit hash that is the same on every machine."""
    return int(hashlib.sha1(text.encode()).hexdigest()[:8], 16)


def write(out: str, split: str, label: str, uid: str, x: np.ndarray) -> str:
    """Write OUT/SPLIT/LABEL/UID.flac (16 bit) and return the path under OUT.

    Args:
      out: OUT.
      split: SPLIT.
      label: LABEL, as a slug.
      uid: UID.
      x: samples [L] at ``SR``.
    """
    relative = os.path.join(split, slug(label), uid + ".flac")
    path = os.path.join(out, relative)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    sf.write(path, fade(np.clip(x, -1, 1)), SR, format="FLAC", subtype="PCM_16")
    return relative
