"""Make sounds and encoded files for the tests of reading."""

import io
import struct

import numpy as np
import soundfile

RATE = 16000


def tone(samples: int = 24000, channels: int = 1, rate: int = RATE) -> np.ndarray:
    """Return a rising tone with noise [L, C], each channel a little later; no part repeats."""
    t = np.arange(samples) / rate
    noise = np.random.default_rng(7).standard_normal(samples)
    x = 0.3 * np.sin(2 * np.pi * (200 + 150 * t) * t) + 0.02 * noise
    return np.stack([np.roll(x, 50 * c) for c in range(channels)], axis=1).astype(np.float32)


def encoded(
    format_: str, subtype: str | None = None, x: np.ndarray | None = None, rate: int = RATE, **more
) -> bytes:
    """Return a file in memory."""
    buffer = io.BytesIO()
    soundfile.write(
        buffer, tone() if x is None else x, rate, format=format_, subtype=subtype, **more
    )
    return buffer.getvalue()


def patched(content: bytes, offset: int, new: bytes) -> bytes:
    """Return ``content`` with the bytes from ``offset`` on replaced."""
    return content[:offset] + new + content[offset + len(new) :]


def wav_with_sizes(content: bytes, riff: int, data: int) -> bytes:
    """Return a WAV file with other sizes in its header."""
    at = content.index(b"data") + 4
    return patched(patched(content, 4, struct.pack("<I", riff)), at, struct.pack("<I", data))


def chunk(name: bytes, body: bytes, order: str = "<", *, pad: bool = True) -> bytes:
    """Return a RIFF chunk."""
    end = b"\0" if pad and len(body) % 2 else b""
    return name + struct.pack(f"{order}I", len(body)) + body + end


def riff(*chunks: bytes) -> bytes:
    """Return a WAV file of chunks."""
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body
