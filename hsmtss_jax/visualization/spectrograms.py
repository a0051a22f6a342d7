"""Spectrogram figures: mixture, result and, where there is one, the target.

Legend: L samples, T points of a curve.
"""

import os
from collections.abc import Mapping

import numpy as np
from scipy import signal

from hsmtss_jax.atomic import replace_file

FLOOR_DB = -80.0
COLUMNS = 1500  # that a figure can show


def spectrogram_db(
    audio: np.ndarray, sample_rate: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(seconds, Hz, dBFS [bins, frames]) of mono audio [L], 32 ms Hann windows."""
    window = min(max(64, int(0.032 * sample_rate)), max(2, len(audio)))
    freq, times, power = signal.spectrogram(
        audio, sample_rate, "hann", window, window * 3 // 4, scaling="spectrum", mode="psd"
    )
    return times, freq, 10 * np.log10(np.maximum(power, 1e-12))


def save_comparison(
    path: str | os.PathLike[str],
    sounds: Mapping[str, np.ndarray],
    sample_rate: int,
    title: str = "",
    max_hz: float = 8000.0,
    activity: tuple[np.ndarray, np.ndarray] | None = None,
) -> None:
    """Write a PNG with one spectrogram a sound (mono [L]), on one colour scale, under one another.

    activity: seconds [T] and values [T] in [0, 1] of a curve below them, when the target sounds.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    heights = [2.1] * len(sounds) + ([0.9] if activity is not None else [])
    figure = Figure(figsize=(9, sum(heights) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    pictures = {
        name: _pooled(*spectrogram_db(audio, sample_rate)) for name, audio in sounds.items()
    }
    top = max(picture[2].max() for picture in pictures.values())
    for axis, (name, (times, freq, db)) in zip(axes, pictures.items(), strict=False):
        shown = freq <= max_hz
        mesh = axis.pcolormesh(
            times, freq[shown] / 1000, db[shown], vmin=top + FLOOR_DB, vmax=top, cmap="magma"
        )
        axis.set_ylabel("kHz")
        axis.set_title(name, loc="left", fontsize=10)
    if activity is not None:
        axes[-1].fill_between(*activity, step="mid", color="tab:purple", alpha=0.7, linewidth=0)
        axes[-1].set(ylim=(0, 1), ylabel="activity")
    axes[-1].set_xlim(0, max(len(audio) for audio in sounds.values()) / sample_rate)
    axes[-1].set_xlabel("seconds")
    figure.colorbar(mesh, ax=list(axes), label="dBFS")
    if title:
        figure.suptitle(title, fontsize=11)
    with replace_file(path) as work:
        figure.savefig(work, dpi=110, format="png")


def _pooled(
    times: np.ndarray, freq: np.ndarray, db: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At most ``COLUMNS`` frames [bins, frames]: of several, the loudest of each bin."""
    step = -(-len(times) // COLUMNS)
    starts = np.arange(0, len(times), step)
    return times[starts], freq, np.maximum.reduceat(db, starts, axis=1)
