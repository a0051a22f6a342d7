"""Figures need no display and no backend."""

import os
import subprocess
import sys

import pytest
from matplotlib.image import imread

from hsmtss_jax.visualization.canvas import new_figure, save_figure

DRAW = """
import sys
from hsmtss_jax.visualization.canvas import new_figure, save_figure
figure = new_figure(2, 1)
figure.subplots().plot([0, 1])
save_figure(figure, sys.argv[1])
assert "matplotlib.pyplot" not in sys.modules
"""


def test_size_and_title(tmp_path):
    figure = new_figure(3, 2)
    figure.subplots().plot([0, 1])
    save_figure(figure, tmp_path / "a.png", "a title", dpi=100)
    assert imread(tmp_path / "a.png").shape[:2] == (200, 300)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("backend", ["TkAgg", "module://matplotlib_inline.backend_inline", "fly"])
def test_whatever_the_backend(backend, tmp_path):
    path = tmp_path / "a.png"
    environment = {**os.environ, "MPLBACKEND": backend, "DISPLAY": ""}
    subprocess.run([sys.executable, "-c", DRAW, str(path)], env=environment, check=True)
    assert path.read_bytes().startswith(b"\x89PNG")
