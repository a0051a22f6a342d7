"""Panels are drawn as they are, and a failed drawing leaves no file."""

import numpy as np
import pytest
from matplotlib.image import imread

from hsmtss_jax.visualization.panels import colour_ranges, save_images


def test_one_row_an_image(tmp_path):
    images = {"target": np.eye(8), "prediction": np.zeros((8, 8)), "attention": np.ones((2, 4))}
    save_images(tmp_path / "panels.png", images, "a title")
    picture = imread(tmp_path / "panels.png")
    assert picture.shape[0] > 500 and np.unique(picture[:, :, :3]).size > 10
    assert [path.name for path in tmp_path.iterdir()] == ["panels.png"]


def test_equal_shapes_share_a_scale():
    images = {"a": np.zeros((2, 2)), "b": np.full((2, 2), 5.0), "c": np.full((3, 2), 7.0)}
    assert colour_ranges(images) == {(2, 2): (0.0, 5.0), (3, 2): (7.0, 7.0)}


def test_nothing_to_draw(tmp_path):
    with pytest.raises(ValueError, match="no images"):
        save_images(tmp_path / "panels.png", {})
    assert not list(tmp_path.iterdir())
