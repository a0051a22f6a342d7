"""Levels of what is heard."""

import numpy as np
import pytest

from hsmtss_jax.data.active_level import active_rms, active_snr_db


def test_active_level_ignores_pauses():
    tone = np.sin(np.arange(1600) / 4).astype(np.float32)
    padded = np.concatenate([np.zeros(8000, np.float32), tone])
    assert active_rms(padded) == pytest.approx(active_rms(tone), rel=0.05)
    assert active_rms(np.zeros(1000)) == 0.0 and active_rms(np.zeros(0)) == 0.0
    assert np.isfinite(active_snr_db(tone, np.zeros(1600)))
