"""Send a whole mixture through a room, a band limit and a level, numpy. L samples, 16 kHz.

All are linear, so the parts of a mixture go through alike and still sum to it. A Channel holds every
choice, so that a mixture can be made again.
"""

import dataclasses

import numpy as np
from scipy import signal

from hsmtss_jax.audio import level
from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.active_level import active_rms
from hsmtss_jax.data.augment import reverberate

TELEPHONE_HZ = (300.0, 3400.0)
LOWEST_HZ, HIGHEST_HZ = (60.0, 500.0), (2000.0, 7000.0)  # ranges of other limits
P_TELEPHONE, P_LOW_PASS = 0.4, 0.4  # of band limits; the rest has both other limits
ORDER = 4


@dataclasses.dataclass(frozen=True)
class Channel:
    """Store the choices for a mixture.

    ``room_seed``: of the reverberation, -1 for none. ``band``: edges [Hz], 0 for none. ``level``: of the
    mixture's active part [dB re full scale], which is then rounded to 16 bits; None leaves it.
    """

    room_seed: int = -1
    band: tuple[float, float] = (0.0, 0.0)
    level: float | None = None

    @property
    def rings(self) -> bool:
        """Return whether sound goes on after its end."""
        return self.room_seed >= 0 or any(self.band)


UNCHANGED = Channel()


def draw(config: DataConfig, rng: np.random.Generator) -> Channel:
    """Draw a channel; what the config turns off draws nothing."""
    room, band, loudness = -1, (0.0, 0.0), None
    if config.room_probability and rng.random() < config.room_probability:
        room = int(rng.integers(2**31))
    if config.band_probability and rng.random() < config.band_probability:
        band = _draw_band(rng)
    if config.level_db:
        low, high = config.level_db
        loudness = float(rng.uniform(low, high))
    return Channel(room, band, loudness)


def _draw_band(rng: np.random.Generator) -> tuple[float, float]:
    """Draw a telephone's band, a low-pass or a band of random edges."""
    kind = rng.random()
    if kind < P_TELEPHONE:
        return TELEPHONE_HZ
    high = float(np.exp(rng.uniform(*np.log(HIGHEST_HZ))))
    if kind < P_TELEPHONE + P_LOW_PASS:
        return 0.0, high
    return float(np.exp(rng.uniform(*np.log(LOWEST_HZ)))), high


def apply(
    channel: Channel, target: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mixture, target and other [L] after the channel, peaks at most 1."""
    parts = np.stack([target, other])
    if channel.room_seed >= 0:
        parts = np.stack([reverberate(x, np.random.default_rng(channel.room_seed)) for x in parts])
    if any(channel.band):
        parts = signal.sosfilt(_band_limit(channel.band), parts).astype(np.float32)
    mixture = parts[0] + parts[1]
    gain = _gain(channel.level, mixture, parts)
    if gain != 1.0:
        parts, mixture = parts * gain, mixture * gain
    if channel.level is not None:
        mixture = np.round(mixture * 32768.0).clip(-32768, 32767) / np.float32(32768)
    return mixture.astype(np.float32), parts[0], parts[1]


def _gain(loudness: float | None, mixture: np.ndarray, parts: np.ndarray) -> np.float32:
    """Return the gain for a level, or for full scale where that would be passed."""
    top = max(level.peak(mixture), level.peak(parts))
    active = active_rms(mixture)
    wanted = 1.0 if loudness is None or active <= 0 else 10.0 ** (loudness / 20.0) / active
    return np.float32(min(wanted, 1.0 / top if top > 0 else wanted))


def _band_limit(band: tuple[float, float]) -> np.ndarray:
    low, high = band
    kind = "band" if low and high else "low" if high else "high"
    edges = band if low and high else (high or low)
    return signal.butter(ORDER, edges, kind, fs=SAMPLE_RATE, output="sos")
