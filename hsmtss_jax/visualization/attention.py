"""Draw the global token's last-layer attention over the patches (HSM-TSS Fig. 6).

Legend: L samples, H heads, P = time x freq patches.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from einops import rearrange

from hsmtss_jax.audio.fbank import HOP, SAMPLE_RATE
from hsmtss_jax.inference.runtime import Runtime
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.visualization.canvas import new_figure, save_figure
from hsmtss_jax.visualization.mel_axes import RANGE_DB, draw, log_mel_db


@dataclasses.dataclass(frozen=True)
class AttentionMap:
    """Hold weights [H, P], time major, of one window; the rest of each head's attention is on words and G.

    freq_patches: rows of the patch grid. patch: its edge in frames and mel bands.
    """

    weights: np.ndarray
    freq_patches: int
    patch: int = 16

    def images(self) -> np.ndarray:
        """Return [H, freq, time], 1 being the average over a head's patches."""
        relative = self.weights / self.weights.mean(axis=1, keepdims=True)
        return rearrange(relative, "h (t f) -> h f t", f=self.freq_patches)

    @property
    def frames(self) -> int:
        """Return the frames that the grid spans."""
        return self.weights.shape[1] // self.freq_patches * self.patch


def attention_maps(
    runtime: Runtime,
    mixture: np.ndarray,
    instruction: Instruction,
    target: np.ndarray | None = None,
) -> dict[str, AttentionMap]:
    """Compute the attention of the predicted G in a window [L], and of the true one if the target is known.

    Raises ValueError for a single-stage pipeline, which has no G token.
    """
    query = runtime.encode_text([instruction])
    features = runtime.encode_audio(mixture[None])
    weights = {"predicted G": runtime.attention(features, query)}
    if target is not None:
        g = runtime.encode_audio(target[None]).g
        weights["true G"] = runtime.attention(features, query, g)
    encoder = runtime.networks.encoders.audio_mae
    return {
        name: AttentionMap(w[0], encoder.freq_patches, encoder.patch) for name, w in weights.items()
    }


def save_attention(
    path: str | os.PathLike[str],
    audio: np.ndarray,
    attentions: Mapping[str, AttentionMap],
    *,
    title: str = "",
    references: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write a PNG with a column for each G whose attention is drawn, side by side.

    Its rows: the mixture's log-mel spectrogram, the attention averaged over heads (on one colour scale),
    and the mixture lit by it; below, the spectrograms of ``references``, from the left.

    Args:
      path: of the PNG.
      audio: a window of the mixture [L] at 16 kHz.
      attentions: name of the G ("predicted G", "true G") -> its attention.
      title: above the figure.
      references: name -> sound [L] at 16 kHz to draw below.
    """
    sounds = dict(references or {})
    columns = len(attentions)
    extra = -(-len(sounds) // columns)
    figure = new_figure(10 if columns == 1 else 6.5 * columns, 2.1 * (3 + extra) + 0.6)
    axes = figure.subplots(3 + extra, columns, sharex=True, squeeze=False)
    images = {name: attention.images().mean(axis=0) for name, attention in attentions.items()}
    top = max(float(image.max()) for image in images.values())
    for column, (name, attention) in enumerate(attentions.items()):
        image, share = images[name], attention.weights.sum(axis=1).mean()
        _spectrogram(figure, axes[0, column], audio, "mixture, log-mel")
        heat = _heat(axes[1, column], image, attention, vmax=top)
        _titled(axes[1, column], f"attention of {name}, mean of heads ({share:.0%} on patches)")
        figure.colorbar(heat, ax=axes[1, column], label="1 = average patch")
        _spectrogram(
            figure, axes[2, column], audio, f"the mixture, dark where {name} does not look"
        )
        light = np.clip(image / np.quantile(image, 0.98), 0, 1)
        dark = np.zeros_like(image)
        _heat(axes[2, column], dark, attention, cmap="gray", vmax=1.0, alpha=1 - light)
    rest = axes[3:].ravel()
    for axis, (name, sound) in zip(rest, sounds.items(), strict=False):
        _spectrogram(figure, axis, sound[: len(audio)], name)
    for axis in rest[len(sounds) :]:
        axis.set_visible(False)
    _finish(figure, axes, log_mel_db(audio).shape[1], title, path)


def save_heads(
    path: str | os.PathLike[str], audio: np.ndarray, attention: AttentionMap, *, title: str = ""
) -> None:
    """Write a PNG with the attention of every head, a panel each, on one colour scale."""
    images = attention.images()
    rows = -(-len(images) // 2)
    figure = new_figure(10, 2.1 * rows + 0.6)
    axes = figure.subplots(rows, 2, sharex=True, squeeze=False)
    top = float(np.quantile(images, 0.995))
    for head, (axis, image) in enumerate(zip(axes.ravel(), images, strict=False)):
        heat = _heat(axis, image, attention, vmax=top)
        share = attention.weights[head].sum()
        _titled(axis, f"head {head + 1}: {share:.0%} of its attention is on patches")
    for axis in axes.ravel()[len(images) :]:
        axis.set_visible(False)
    figure.colorbar(heat, ax=axes.ravel().tolist(), label="1 = average patch", extend="max")
    _finish(figure, axes, log_mel_db(audio).shape[1], title, path)


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
    figure: Any, axes: np.ndarray, frames: int, title: str, path: str | os.PathLike[str]
) -> None:
    """Label the outer axes of a grid [rows, columns] that shows ``frames`` frames, and write it."""
    for column in axes.T:
        shown = [axis for axis in column if axis.get_visible()]
        for axis in shown:
            axis.set_xlim(0, frames * HOP / SAMPLE_RATE)
            axis.tick_params(labelbottom=axis is shown[-1])
        shown[-1].set_xlabel("seconds")
    for axis in axes[:, 1:].ravel():
        axis.set_ylabel("")
    save_figure(figure, path, title)
