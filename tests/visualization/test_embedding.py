"""Maps of vectors: groups that lie apart stay apart, equal calls give equal maps."""

import sys

import numpy as np
import pytest
from matplotlib.image import imread

from hsmtss_jax.visualization.embedding import METHODS, project, save_embedding

GROUPS = ["dog"] * 12 + ["rain"] * 9


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Two groups in opposite directions, of very different lengths."""
    rng = np.random.default_rng(0)
    centre = np.where(np.arange(21)[:, None] < 12, 1.0, -1.0) * np.eye(6)[0]
    noisy = centre + 0.1 * rng.normal(size=(21, 6))
    return (noisy * rng.uniform(0.1, 10, (21, 1))).astype(np.float32)


@pytest.mark.parametrize("method", METHODS)
def test_groups_stay_apart(method, vectors):
    if method == "tsne":
        pytest.importorskip("sklearn")
    projection = project(vectors, method)
    points = projection.points
    dog, rain = points[:12], points[12:]
    between = np.linalg.norm(dog.mean(axis=0) - rain.mean(axis=0))
    spread = max(np.linalg.norm(x - x.mean(axis=0), axis=1).max() for x in (dog, rain))
    assert points.shape == (21, 2) and between > 2 * spread
    np.testing.assert_array_equal(points, project(vectors, method).points)


def test_the_axes_of_a_pca_say_how_much_they_explain(vectors):
    first, second = project(vectors, "pca").axes
    assert "component 1 (9" in first and "component 2" in second


def test_figure(tmp_path, vectors):
    save_embedding(tmp_path / "map.png", project(vectors, "pca"), GROUPS, "a title")
    assert np.unique(imread(tmp_path / "map.png")[:, :, :3]).size > 20


def test_predictions_are_marked(tmp_path, vectors):
    """The same points with and without predictions among them: another figure, with its own legend."""
    projection = project(vectors, "pca")
    save_embedding(tmp_path / "true.png", projection, GROUPS)
    predicted = [i % 2 == 1 for i in range(len(GROUPS))]
    save_embedding(tmp_path / "both.png", projection, GROUPS, predicted=predicted)
    true, both = (imread(tmp_path / f"{name}.png") for name in ("true", "both"))
    assert true.shape == both.shape and not np.array_equal(true, both)


def test_bad_input(vectors, monkeypatch):
    with pytest.raises(ValueError, match="choose one of tsne, pca"):
        project(vectors, "umap")
    with pytest.raises(ValueError, match="too few"):
        project(vectors[:3])
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(ValueError, match="scikit-learn"):
        project(vectors)
