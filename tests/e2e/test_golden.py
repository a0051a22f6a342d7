"""The demo bundle sounds as it did: the one thing a user hears change."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from hsmtss_jax.inference import Separator
from hsmtss_jax.metrics import mel_psnr

ROOT = Path(__file__).resolve().parents[2]
CLOSE = 40.0  # [dB] another XLA rounds otherwise; the mixture reaches 16


@pytest.mark.optimized
def test_an_example_sounds_as_it_did():
    source = ROOT / "examples" / "speech_and_rain.flac"
    expected, rate = soundfile.read(Path(__file__).parent / "golden" / source.name)
    mixture, _ = soundfile.read(source)
    result = Separator.from_pretrained().separate(source, "extract the speech", seed=3)
    assert result.sample_rate == rate and result.target.shape == (len(expected), 1)
    assert mel_psnr(mixture, expected) < CLOSE - 5 < CLOSE < mel_psnr(result.target[:, 0], expected)
    assert 0.5 < float(result.presence) < 0.6
    np.testing.assert_allclose(result.target[:, 0] + result.residual[:, 0], mixture, atol=1e-5)
