"""A map of global features, true ones beside predicted ones (HSM-TSS Fig. 5).

Legend: n vectors, C width.
"""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from hsmtss_jax.visualization.canvas import new_figure, save_figure

METHODS = ("tsne", "pca")


@dataclasses.dataclass(frozen=True)
class Projection:
    """Hold points [n, 2]. axes: names of the two coordinates. scaled: whether their values mean anything."""

    points: np.ndarray
    axes: tuple[str, str]
    scaled: bool = True


def project(vectors: np.ndarray, method: str = "tsne", seed: int = 0) -> Projection:
    """Project vectors [n, C] to the plane, at unit length, because the loss of G is a cosine.

    tsne needs scikit-learn. Raises ValueError for fewer than 4 vectors or an unknown method, and
    says what to install where the package is missing.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}: choose one of {', '.join(METHODS)}")
    if len(vectors) < 4:
        raise ValueError(f"{len(vectors)} clips are too few for a map: it takes 4")
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return _pca(unit) if method == "pca" else _tsne(unit, seed)


def _pca(x: np.ndarray) -> Projection:
    centred = x.astype(np.float64) - x.mean(axis=0)
    left, scale, _ = np.linalg.svd(centred, full_matrices=False)
    share = scale**2 / max(np.sum(scale**2), 1e-30)
    names = [f"component {i + 1} ({share[i]:.0%} of the variance)" for i in range(2)]
    return Projection((left * scale)[:, :2], (names[0], names[1]))


def _tsne(x: np.ndarray, seed: int) -> Projection:
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise ValueError(
            'the t-SNE needs scikit-learn: pip install -e ".[figures]", or give --method pca'
        ) from error
    perplexity = min(30.0, (len(x) - 1) / 3)
    model = TSNE(init="pca", perplexity=perplexity, random_state=seed)
    return Projection(model.fit_transform(x), ("t-SNE 1", "t-SNE 2"), scaled=False)


def save_embedding(
    path: str | os.PathLike[str],
    projection: Projection,
    groups: Sequence[str],
    title: str = "",
    *,
    predicted: Sequence[bool] | None = None,
) -> None:
    """Write a PNG with a point a vector: a colour a group, a disc for true and a cross for predicted ones.

    Args:
      path: of the PNG.
      projection: of n vectors.
      groups: the group of each vector [n]; the legend lists them in order of size.
      title: above the map.
      predicted: which vectors are predictions [n]; None: none is.
    """
    figure = new_figure(9, 6.5)
    from matplotlib import colormaps
    from matplotlib.lines import Line2D

    axis = figure.subplots()
    crosses = np.zeros(len(groups), bool) if predicted is None else np.asarray(predicted, bool)
    counted = np.asarray(groups)[~crosses]  # each vector once, its prediction not again
    names, counts = np.unique(counted if len(counted) else groups, return_counts=True)
    order = sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda x: (-x[1], x[0]))
    wheel = colormaps["tab10" if len(order) <= 10 else "tab20"].colors  # type: ignore[attr-defined]
    entries = []
    for i, (name, count) in enumerate(order):
        colour, mine = wheel[i % len(wheel)], np.asarray(groups) == name
        disc, cross = (projection.points[mine & chosen] for chosen in (~crosses, crosses))
        axis.scatter(
            disc[:, 0], disc[:, 1], s=30, color=colour, linewidths=0.4, edgecolors="white", zorder=2
        )
        axis.scatter(
            cross[:, 0], cross[:, 1], s=28, color=colour, marker="x", linewidths=1.2, zorder=3
        )
        entries.append(_marker("o", colour, f"{name} ({count})"))
    if predicted is not None:
        entries = [
            _marker("o", "dimgray", "true G, of the target"),
            _marker("x", "dimgray", "predicted G, of the mixture"),
            Line2D([], [], linestyle="", label=" "),
            *entries,
        ]
    axis.set_xlabel(projection.axes[0])
    axis.set_ylabel(projection.axes[1])
    if not projection.scaled:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.legend(handles=entries, loc="outside right upper", fontsize=9, frameon=False)
    axis.set_title(title, loc="left", fontsize=11)
    save_figure(figure, path, dpi=120)


def _marker(marker: str, colour: Any, label: str) -> Any:
    """Return an entry of the legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="", marker=marker, color=colour, markersize=6, label=label)
