"""The attention map lies on the spectrogram as the patches do."""

import numpy as np
from matplotlib.image import imread

from hsmtss_jax.visualization.attention import AttentionMap, save_attention, save_heads

TIME, FREQ, HEADS = 16, 8, 3


def attention_at(column: int, row: int) -> AttentionMap:
    weights = np.full((HEADS, TIME * FREQ), 0.001)
    weights[:, column * FREQ + row] = 0.5  # time major, frequency fastest
    return AttentionMap(weights, FREQ)


def tone(hz: float, seconds: float = 2.56) -> np.ndarray:
    t = np.arange(round(16000 * seconds)) / 16000
    return 0.1 * np.sin(2 * np.pi * hz * t)


def test_images_are_frequency_by_time_and_average_one():
    attention = attention_at(5, 2)
    images = attention.images()
    assert images.shape == (HEADS, FREQ, TIME) and attention.frames == 16 * TIME
    assert np.unravel_index(images[0].argmax(), images[0].shape) == (2, 5)
    np.testing.assert_allclose(images.mean(axis=(1, 2)), np.ones(HEADS))


def test_figures(tmp_path):
    audio, attention = tone(500.0), attention_at(3, 1)
    plain, heads = tmp_path / "attention.png", tmp_path / "heads.png"
    title, sounds = "extract: a tone", {"target": audio}
    save_attention(plain, audio, {"predicted G": attention}, title=title, references=sounds)
    save_heads(heads, audio, attention, title="extract: a tone")
    for path in (plain, heads):
        picture = imread(path)
        assert picture.shape[1] > 900 and np.unique(picture[:, :, :3]).size > 50
    assert {path.name for path in tmp_path.iterdir()} == {"attention.png", "heads.png"}


def test_true_and_predicted_g_stand_side_by_side(tmp_path):
    audio = tone(500.0)
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    predicted, true = attention_at(3, 1), attention_at(9, 6)
    save_attention(one, audio, {"predicted G": predicted})
    both = {"predicted G": predicted, "true G": true}
    sounds = {"mixture again": audio, "target": audio}
    save_attention(two, audio, both, references=sounds)
    narrow, wide = imread(one), imread(two)
    assert wide.shape[1] > 1.2 * narrow.shape[1] and wide.shape[0] > 1.2 * narrow.shape[0]
