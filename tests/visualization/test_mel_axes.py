import numpy as np
import pytest

from hsmtss_jax.visualization.mel_axes import log_mel_db, mel_position


def tone(hz: float, seconds: float) -> np.ndarray:
    return 0.1 * np.sin(2 * np.pi * hz * np.arange(round(16000 * seconds)) / 16000)


@pytest.mark.parametrize("hz", [300.0, 1000.0, 4000.0])
def test_a_tone_lies_where_its_frequency_is_marked(hz):
    image = log_mel_db(tone(hz, 0.3))
    assert image.shape[0] == 128 and image.max() == 0 and image.min() >= -80
    assert abs(image.mean(axis=1).argmax() - mel_position(hz)) < 1.5
