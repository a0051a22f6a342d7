"""Fixed sine-cosine position codes, computed with numpy at trace time.

Legend: N positions, D width.
"""

import numpy as np


def sincos_1d(positions: np.ndarray, width: int) -> np.ndarray:
    """Encode positions [N] as [N, D] = [sin(p w), cos(p w)], w_k = 10000^(-2k/D).

    positions: in any unit, fractions allowed.

    Raises:
      ValueError: the width is odd.
    """
    if width % 2:
        raise ValueError(f"a sine-cosine code needs an even width, got {width}")
    half = width // 2
    omega = 10000.0 ** (-np.arange(half, dtype=np.float64) / half)
    angles = np.asarray(positions, np.float64)[:, None] * omega[None, :]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


def sincos_2d(time: int, freq: int, width: int) -> np.ndarray:
    """Encode a time x freq grid, token order i = freq * t + f -> [time * freq, D].

    The first half of the width codes the frequency index, the second half the time index (AudioMAE's
    order). The width must be divisible by four.
    """
    if width % 4:
        raise ValueError(f"a 2-D sine-cosine code needs a width divisible by 4, got {width}")
    t, f = np.divmod(np.arange(time * freq), freq)
    return np.concatenate([sincos_1d(f, width // 2), sincos_1d(t, width // 2)], axis=1)
