"""Vectors in the plane, coloured by group: a map of global features.

Legend: n vectors, C width.
"""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from hsmtss_jax.atomic import replace_file

METHODS = ("tsne", "pca")
_MARKERS = "os^Dv"


@dataclasses.dataclass(frozen=True)
class Projection:
    """points: [n, 2]. axes: what the two coordinates are. scaled: whether their values mean anything."""

    points: np.ndarray
    axes: tuple[str, str]
    scaled: bool = True


def project(vectors: np.ndarray, method: str = "tsne", seed: int = 0) -> Projection:
    """Vectors [n, C], brought to unit length (the loss of G is a cosine), to the plane.

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
) -> None:
    """Write a PNG with a point a vector; groups: the name of each, drawn in order of size."""
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    colours = colormaps["tab10"].colors  # type: ignore[attr-defined]
    names, counts = np.unique(np.asarray(groups), return_counts=True)
    order = sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda x: (-x[1], x[0]))
    for i, (name, count) in enumerate(order):
        chosen = projection.points[np.asarray(groups) == name]
        axis.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=26,
            color=colours[i % len(colours)],
            marker=_MARKERS[i // len(colours) % len(_MARKERS)],
            linewidths=0.4,
            edgecolors="white",
            label=f"{name} ({count})",
        )
    axis.set_xlabel(projection.axes[0])
    axis.set_ylabel(projection.axes[1])
    if not projection.scaled:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.legend(loc="outside right upper", fontsize=9, frameon=False)
    if title:
        axis.set_title(title, loc="left", fontsize=11)
    with replace_file(path) as work:
        figure.savefig(work, dpi=120, format="png")
