"""Small spectrograms without axes, as PNG bytes: for pages that hold many. L samples."""

import io

import numpy as np

from hsmtss_jax.visualization.canvas import new_figure
from hsmtss_jax.visualization.spectrograms import FLOOR_DB, pooled, spectrogram_db

ROWS, COLUMNS = 128, 400  # pixels, at most


def spectrogram_png(audio: np.ndarray, sample_rate: int, top_db: float | None = None) -> bytes:
    """Draw the spectrogram of mono audio [L], low frequencies below, 80 dB of colours.

    top_db: the brightest colour [dBFS], to draw several sounds alike [the sound's own maximum].
    """
    new_figure(1, 1)  # imports matplotlib as the house does
    from matplotlib.image import imsave

    _, _, db = pooled(*spectrogram_db(audio, sample_rate), columns=COLUMNS)
    step = -(-len(db) // ROWS)
    image = np.maximum.reduceat(db, np.arange(0, len(db), step), axis=0)
    top = float(image.max()) if top_db is None else top_db
    out = io.BytesIO()
    imsave(out, image, vmin=top + FLOOR_DB, vmax=top, cmap="magma", origin="lower", format="png")
    return out.getvalue()


def loudest_db(audio: np.ndarray, sample_rate: int) -> float:
    """Return the level of the loudest bin of a sound [L] [dBFS]."""
    return float(spectrogram_db(audio, sample_rate)[2].max())
