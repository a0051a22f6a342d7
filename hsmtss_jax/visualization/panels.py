"""A stage's panels as one figure: AudioMAE's original, masked and filled-in spectrograms, say."""

import os
from collections.abc import Mapping

import numpy as np

from hsmtss_jax.visualization.canvas import new_figure, save_figure


def save_images(
    path: str | os.PathLike[str], images: Mapping[str, np.ndarray], title: str = ""
) -> None:
    """Write a PNG with one image a row [freq, time]; images of one shape share their colour scale.

    Raises ValueError when there is nothing to draw.
    """
    if not images:
        raise ValueError("this stage has no images to draw")
    figure = new_figure(9, 2.0 * len(images) + 0.6)
    axes = figure.subplots(len(images), 1, squeeze=False)[:, 0]
    scales = colour_ranges(images)
    for axis, (name, image) in zip(axes, images.items(), strict=True):
        low, high = scales[image.shape]
        drawn = axis.imshow(image, origin="lower", aspect="auto", vmin=low, vmax=high, cmap="magma")
        axis.set_title(name.replace("_", " "), loc="left", fontsize=10)
        axis.set_ylabel("frequency")
        figure.colorbar(drawn, ax=axis)
    axes[-1].set_xlabel("time")
    save_figure(figure, path, title)


def colour_ranges(images: Mapping[str, np.ndarray]) -> dict[tuple[int, ...], tuple[float, float]]:
    """Return image shape -> the least and largest value of all images of that shape."""
    by_shape: dict[tuple[int, ...], list[np.ndarray]] = {}
    for image in images.values():
        by_shape.setdefault(image.shape, []).append(image)
    return {
        shape: (float(min(x.min() for x in group)), float(max(x.max() for x in group)))
        for shape, group in by_shape.items()
    }
