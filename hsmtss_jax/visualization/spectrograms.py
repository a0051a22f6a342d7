"""Spectrogram figures: a mixture, the results of commands on it, and their references (HSM-TSS Fig. 7).

Legend: L samples, T points of a curve.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import signal

from hsmtss_jax.inference.options import Failed, SeparateOptions
from hsmtss_jax.inference.separator import Separator
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.task import TASKS
from hsmtss_jax.visualization.canvas import new_figure, save_figure

FLOOR_DB = -80.0


class SpectrogramPanel(NamedTuple):
    """Hold a spectrogram of a figure: its axis, its title, and its sound, mono [L]."""

    axis: Any
    title: str
    audio: np.ndarray


def spectrogram_db(
    audio: np.ndarray, sample_rate: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute (times [s], frequencies [Hz], dBFS [bins, frames]) of mono audio [L], 32 ms Hann windows."""
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

    Args:
      path: of the PNG.
      sounds: name -> sound.
      sample_rate: of the sounds [Hz].
      title: above the figure.
      max_hz: highest frequency shown [Hz].
      activity: times [s] [T] and values [T] in [0, 1] of a curve below them, when the target sounds.
    """
    heights = [2.1] * len(sounds) + ([0.9] if activity is not None else [])
    figure = new_figure(9, sum(heights) + 0.6)
    axes = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    panels = [
        SpectrogramPanel(axis, *each) for axis, each in zip(axes, sounds.items(), strict=False)
    ]
    _draw(figure, panels, sample_rate, max_hz)
    if activity is not None:
        axes[-1].fill_between(*activity, step="mid", color="tab:purple", alpha=0.7, linewidth=0)
        axes[-1].set(ylim=(0, 1), ylabel="activity")
    axes[-1].set_xlabel("seconds")
    save_figure(figure, path, title)


def separate_by_commands(
    separator: Separator,
    audio: np.ndarray,
    description: str,
    sample_rate: int,
    options: SeparateOptions | None = None,
) -> dict[str, np.ndarray]:
    """Extract and remove one sound of a recording: command -> result, mono [L].

    Args:
      separator: the system.
      audio: the recording [L] or [L, C].
      description: of the sound.
      sample_rate: [Hz].
      options: of the separations.
    """
    asked = [Instruction(task, description) for task in TASKS]
    found = separator.separate_many([audio], asked, sample_rate=sample_rate, options=options)
    return {
        f"{instruction.task}: {description}": result.target.mean(axis=1)
        for instruction, result in zip(asked, next(iter(found)), strict=True)
        if not isinstance(result, Failed)  # none is: errors are raised
    }


def save_commands(
    path: str | os.PathLike[str],
    mixture: np.ndarray,
    results: Mapping[str, np.ndarray],
    sample_rate: int,
    *,
    references: Mapping[str, np.ndarray] | None = None,
    title: str = "",
    max_hz: float = 8000.0,
) -> None:
    """Write a PNG of one mixture and the results of several commands on it (HSM-TSS Fig. 7).

    The mixture stands first, each result beside it, and under a result its reference where it is known;
    all on one colour scale.

    Args:
      path: of the PNG.
      mixture: mono [L].
      results: command ("extract the dog") -> its sound, mono [L].
      sample_rate: of all sounds [Hz].
      references: command -> what it should give, mono [L].
      title: above the figure.
      max_hz: highest frequency shown [Hz].

    Raises ValueError for a reference of no command.
    """
    known = dict(references or {})
    if unknown := known.keys() - results.keys():
        raise ValueError(f"a reference of no command: {', '.join(sorted(unknown))}")
    rows = 2 if known else 1
    figure = new_figure(4.6 * (1 + len(results)), 2.7 * rows + 0.5)
    grid = figure.subplots(rows, 1 + len(results), sharex=True, sharey=True, squeeze=False)
    panels = [SpectrogramPanel(grid[0, 0], "mixture", mixture)]
    for column, (command, result) in enumerate(results.items(), start=1):
        panels.append(SpectrogramPanel(grid[0, column], command, result))
        if command in known:
            panels.append(SpectrogramPanel(grid[1, column], "reference", known[command]))
    for axis in set(grid.ravel().tolist()) - {panel.axis for panel in panels}:
        axis.set_visible(False)
    _draw(figure, panels, sample_rate, max_hz)
    for column in grid.T:
        lowest = [axis for axis in column if axis.get_visible()][-1]
        lowest.set_xlabel("seconds")
        lowest.tick_params(labelbottom=True)
    for axis in grid[:, 1:].ravel():
        axis.set_ylabel("")
    save_figure(figure, path, title)


def _draw(figure: Any, panels: Sequence[SpectrogramPanel], sample_rate: int, max_hz: float) -> None:
    """Draw the spectrograms on one colour scale."""
    pictures = [pooled(*spectrogram_db(panel.audio, sample_rate)) for panel in panels]
    top = max(db.max() for _, _, db in pictures)
    seconds = max(len(panel.audio) for panel in panels) / sample_rate
    for panel, (times, freq, db) in zip(panels, pictures, strict=True):
        shown = freq <= max_hz
        mesh = panel.axis.pcolormesh(
            times, freq[shown] / 1000, db[shown], vmin=top + FLOOR_DB, vmax=top, cmap="magma"
        )
        panel.axis.set_facecolor("black")  # half a window at both ends has no column
        panel.axis.set_ylabel("kHz")
        panel.axis.set_title(panel.title, loc="left", fontsize=10)
        panel.axis.set_xlim(0, seconds)
    figure.colorbar(mesh, ax=list(figure.axes), label="dBFS")


def pooled(
    times: np.ndarray, freq: np.ndarray, db: np.ndarray, columns: int = 1500
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reduce a spectrogram [bins, frames] to at most ``columns`` frames: of several, each bin's loudest."""
    step = -(-len(times) // columns)
    starts = np.arange(0, len(times), step)
    return times[starts], freq, np.maximum.reduceat(db, starts, axis=1)
