"""Where a recording is digital silence, so is every part of it: the codec's noise floor is muted there.

Legend: L samples.
"""

import numpy as np
from scipy import ndimage

FLOOR = 2.0**-15  # one step of 16-bit audio
HOLD, FADE = 0.010, 0.005  # seconds kept on both sides of sound, and the ramp at the edge


def silence_gain(recording: np.ndarray, sample_rate: int) -> np.ndarray:
    """Gain in [0, 1] for each sample of ``recording`` [..., L]: 0 inside digital silence, 1 near sound."""
    sounding = (np.abs(recording) > FLOOR).astype(np.float32)
    hold, fade = (2 * round(seconds * sample_rate) + 1 for seconds in (HOLD, FADE))
    held = ndimage.maximum_filter1d(sounding, hold, axis=-1, mode="constant")
    return ndimage.uniform_filter1d(held, fade, axis=-1, mode="nearest")
