"""Read a part of a recording, to be drawn."""

import numpy as np

from hsmtss_jax.audio.io import read_audio, resample, to_mono


def read_window(path: str, start: float, samples: int, rate: int) -> np.ndarray:
    """Read at most ``samples`` mono samples [L] at ``rate`` from second ``start`` on.

    Raises AudioError, and ValueError for a recording that ends before.
    """
    file = read_audio(path)
    mono = resample(to_mono(file.samples)[:, None], file.sample_rate, rate)[:, 0]
    first = round(start * rate)
    if len(mono) - first < 0.05 * rate:
        raise ValueError(f"{path} lasts {len(mono) / rate:.2f} s: start 50 ms before its end")
    return mono[first : first + samples]
