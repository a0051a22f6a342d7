"""What the global token attends to: its last-layer weights over the patches (HSM-TSS Fig. 6).

Legend: L samples, H heads, P = time x freq patches.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from einops import rearrange

from hsmtss_jax.atomic import replace_file
from hsmtss_jax.audio.fbank import HOP, SAMPLE_RATE
from hsmtss_jax.visualization.mel_axes import RANGE_DB, draw, log_mel_db


@dataclasses.dataclass(frozen=True)
class AttentionMap:
    """weights: [H, P], time major, of one window; the rest of each head's attention is on words and G.

    freq_patches: rows of the patch grid. patch: its edge in frames and mel bands.
    """

    weights: np.ndarray
    freq_patches: int
    patch: int = 16

    def images(self) -> np.ndarray:
        """[H, freq, time], 1 being the average over a head's patches."""
        relative = self.weights / self.weights.mean(axis=1, keepdims=True)
        return rearrange(relative, "h (t f) -> h f t", f=self.freq_patches)

    @property
    def frames(self) -> int:
        """Frames that the grid spans."""
        return self.weights.shape[1] // self.freq_patches * self.patch


def save_attention(
    path: str | os.PathLike[str],
    audio: np.ndarray,
    attention: AttentionMap,
    *,
    title: str = "",
    references: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write a PNG: the log-mel spectrogram of a window [L] at 16 kHz, the attention averaged over
    heads, and the spectrogram lit by it; then the spectrograms of ``references`` [L], if any."""
    sounds = dict(references or {})
    figure, axes = _figure(3 + len(sounds))
    weights = attention.images().mean(axis=0)
    share = attention.weights.sum(axis=1).mean()
    seconds = len(audio) / SAMPLE_RATE

    _spectrogram(figure, axes[0], audio, "mixture, log-mel")
    shape = f"{weights.shape[1]} x {weights.shape[0]}"
    heat = _heat(axes[1], weights, attention)
    _titled(axes[1], f"attention of G over {shape} patches, mean of heads ({share:.0%} of it all)")
    figure.colorbar(heat, ax=axes[1], label="1 = average patch")

    _spectrogram(figure, axes[2], audio, "the mixture, dark where G does not look")
    light = np.clip(weights / np.quantile(weights, 0.98), 0, 1)
    _heat(axes[2], np.zeros_like(weights), attention, cmap="gray", vmax=1.0, alpha=1 - light)
    for axis, (name, sound) in zip(axes[3:], sounds.items(), strict=True):
        _spectrogram(figure, axis, sound[: len(audio)], name)
    _finish(figure, axes, seconds, title, path)


def save_heads(
    path: str | os.PathLike[str], audio: np.ndarray, attention: AttentionMap, *, title: str = ""
) -> None:
    """Write a PNG with the attention of every head, a panel each, on one colour scale."""
    images = attention.images()
    figure, axes = _figure(-(-len(images) // 2), columns=2)
    top = float(np.quantile(images, 0.995))
    for head, (axis, image) in enumerate(zip(axes, images, strict=False)):
        heat = _heat(axis, image, attention, vmax=top)
        share = attention.weights[head].sum()
        _titled(axis, f"head {head + 1}: {share:.0%} of its attention is on patches")
    for axis in axes[len(images) :]:
        axis.set_visible(False)
    figure.colorbar(heat, ax=list(axes), label="1 = average patch of the head", extend="max")
    _finish(figure, axes, len(audio) / SAMPLE_RATE, title, path)


def _figure(rows: int, columns: int = 1) -> tuple[Any, np.ndarray]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.1 * rows + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()


def _spectrogram(figure: Any, axis: Any, audio: np.ndarray, name: str) -> None:
    image = log_mel_db(audio)
    drawn = draw(axis, image, image.shape[1], cmap="magma", vmin=-RANGE_DB, vmax=0)
    figure.colorbar(drawn, ax=axis, label="dB (0: loudest)")
    _titled(axis, name)


def _heat(axis: Any, image: np.ndarray, attention: AttentionMap, **options: Any) -> Any:
    options = {"cmap": "viridis", "vmin": 0.0, "interpolation": "nearest", **options}
    return draw(axis, image, attention.frames, **options)


def _titled(axis: Any, text: str) -> None:
    axis.set_title(text, loc="left", fontsize=10)


def _finish(
    figure: Any, axes: np.ndarray, seconds: float, title: str, path: str | os.PathLike[str]
) -> None:
    whole = max(seconds, HOP / SAMPLE_RATE)
    for axis in axes:
        axis.set_xlim(0, whole)
        axis.label_outer()
    bottom = [axis for axis in axes if axis.get_subplotspec().is_last_row()]
    for axis in bottom:
        axis.set_xlabel("seconds")
    if title:
        figure.suptitle(title, fontsize=11)
    with replace_file(path) as work:
        figure.savefig(work, dpi=110, format="png")
