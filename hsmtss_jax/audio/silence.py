"""Digital silence: a codec cannot write it, so it is put back where the sound has it.

A recording's own silence is silence in every part of it (``silence_gain``), and what the codec decodes
below its noise floor stands for silence (``noise_gate``).

Legend: L samples.
"""

import numpy as np
from scipy import ndimage

FLOOR = 2.0**-15  # one step of 16-bit audio, -90 dBFS; the codec's silence is at about -100
FRAME, HOLD, FADE = 0.020, 0.010, 0.005  # [s] RMS window, kept beside sound, ramp at the edge


def silence_gain(recording: np.ndarray, sample_rate: int) -> np.ndarray:
    """Compute a gain in [0, 1] for each sample of ``recording`` [..., L]: 0 in digital silence."""
    return _edges_softened(np.abs(recording) > FLOOR, sample_rate)


def noise_gate(decoded: np.ndarray, sample_rate: int) -> np.ndarray:
    """Put digital silence where the RMS of ``decoded`` [..., L] over 20 ms is below one 16-bit step."""
    frame = round(FRAME * sample_rate)
    power = ndimage.uniform_filter1d(np.square(decoded, dtype=np.float64), frame, axis=-1)
    return decoded * _edges_softened(power > FLOOR**2, sample_rate)


def _edges_softened(sounding: np.ndarray, sample_rate: int) -> np.ndarray:
    """Turn bool [..., L] into gains float32 [..., L], held on for HOLD on both sides, with ramps of FADE."""
    hold, fade = (2 * round(seconds * sample_rate) + 1 for seconds in (HOLD, FADE))
    held = ndimage.maximum_filter1d(sounding.astype(np.float32), hold, axis=-1, mode="constant")
    return ndimage.uniform_filter1d(held, fade, axis=-1, mode="nearest")
