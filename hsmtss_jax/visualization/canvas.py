"""Figures without pyplot: no global state, no display, whatever MPLBACKEND says."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hsmtss_jax.atomic import replace_file
from hsmtss_jax.visualization.fonts import fit_texts

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure [inch] that is drawn by Agg. Import matplotlib only after this."""
    with _without_warnings():
        _import_matplotlib()
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(
    figure: "Figure", path: str | os.PathLike[str], title: str = "", dpi: int = 110
) -> None:
    """Write a figure as PNG under its name once it is complete."""
    if title:
        figure.suptitle(title, fontsize=11)
    fit_texts(figure)
    with replace_file(path) as work:
        figure.savefig(work, dpi=dpi, format="png")


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep matplotlib from telling, while it is imported, that there is no home for its cache."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _import_matplotlib() -> None:
    """Import matplotlib, which refuses to be when MPLBACKEND names a backend that is not installed."""
    if "matplotlib" in sys.modules:
        return
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend:  # for whoever uses pyplot afterwards
        with contextlib.suppress(ValueError, ImportError):
            matplotlib.rcParams["backend"] = backend
