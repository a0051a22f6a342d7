"""Estimate the memory that a pipeline needs, from its configs, before anything is loaded.

Legend: R rows that run at once, P patches, T token frames, W samples of a window.
"""

import dataclasses
from collections.abc import Iterable, Mapping

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.networks import read_separators
from hsmtss_jax.bundles.pipeline import MASK_ROLES, architecture
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.inference.mask_runtime import WINDOW, mask_rows
from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
from hsmtss_jax.models.audio_mae import AudioMAEConfig
from hsmtss_jax.models.mask_separator import MaskSeparatorConfig
from hsmtss_jax.models.separators import TwoStage
from hsmtss_jax.models.tf_codec.model import TFCodecConfig

PROGRAM = 600 << 20  # bytes of Python, JAX and the compiled programs, measured on a CPU


@dataclasses.dataclass(frozen=True)
class Need:
    """Count the bytes that a pipeline takes, by what they are for."""

    weights: int
    cache: int
    activations: int
    host_copy: int

    @property
    def device(self) -> int:
        """Return the memory on the device that runs it."""
        return self.weights + self.cache + self.activations

    @property
    def host(self) -> int:
        """Return the memory beside the device: the weights as they were read, and the programs."""
        return self.host_copy + PROGRAM


def estimate_memory(
    bundles: Mapping[str, Bundle], parameters: Mapping[str, int], rows: int, itemsize: int
) -> Need:
    """Estimate the memory of a pipeline of either architecture.

    Args:
      bundles: by role; their weights are not looked at.
      parameters: their number, by role.
      rows: sounds that are made at once, ``rows_at_once``.
      itemsize: bytes of a number of the compute dtype.

    Raises:
      KeyError, ValueError, TypeError: a config that cannot be read.
    """
    return _NEEDS[architecture(bundles)](bundles, parameters, rows, itemsize)


def rows_at_once(roles: Iterable[str], batch: int, platform: str) -> int:
    """Return how many sounds a pipeline of these roles makes at once on a platform."""
    return mask_rows(batch, platform) if architecture(roles) == MASK_ROLES[-1] else batch


def _mask_need(
    bundles: Mapping[str, Bundle], parameters: Mapping[str, int], rows: int, itemsize: int
) -> Need:
    """Estimate a mask separator's: XLA holds about five maps of its first level (measured, 4.1 to 5.2)."""
    config = from_dict(MaskSeparatorConfig, bundles[MASK_ROLES[-1]].config["model"])
    frames = WINDOW * config.sample_rate // config.hop + config.time_multiple
    activations = 5 * rows * frames * config.n_fft // 2 * config.channels[0] * itemsize
    whole = 4 * sum(parameters.values())
    return Need(weights=whole, cache=0, activations=activations, host_copy=whole)


def _hierarchical_need(
    bundles: Mapping[str, Bundle], parameters: Mapping[str, int], rows: int, itemsize: int
) -> Need:
    """Estimate the memory of a hierarchical pipeline.

    Weights stay float32 but for the decoder's; the host keeps a copy of them as they were read. The
    activations are those of the largest step, of which XLA holds little more than one layer.
    """
    mae = from_dict(AudioMAEConfig, bundles["audio_mae"].config["model"])
    separators = read_separators(bundles)
    local = separators.local_model if isinstance(separators, TwoStage) else separators.model
    decoder = from_dict(AcousticDecoderConfig, bundles["acoustic_decoder"].config["model"])
    codec = from_dict(TFCodecConfig, bundles["tf_codec"].config["model"])
    total = sum(parameters.values())
    of_decoder = parameters["acoustic_decoder"]
    tokens = local.patches + local.max_text + local.max_task + 1
    steps = (
        _transformer(rows, mae.patches, mae.width, mae.heads, itemsize),
        _transformer(rows, tokens, local.width, local.heads, itemsize),
        _waveform(rows, mae.frames * 2, codec.channels, itemsize),
    )
    slots = decoder.max_frames + (decoder.patches if decoder.has_prefix else 0)
    crossed = decoder.patches if decoder.condition == "cross" else 0
    return Need(
        weights=4 * (total - of_decoder) + itemsize * of_decoder,
        cache=2 * decoder.depth * rows * decoder.width * (slots + crossed) * itemsize,
        activations=max(steps),
        host_copy=4 * total,
    )


_NEEDS = {"hsm_tss": _hierarchical_need, "mask_separator": _mask_need}


def _transformer(rows: int, tokens: int, width: int, heads: int, itemsize: int) -> int:
    """Return the bytes of a layer: scores in float32, twice; residual, projections and MLP."""
    return rows * tokens * (2 * 4 * heads * tokens + itemsize * width * (1 + 3 + 4))


def _waveform(rows: int, frames: int, channels: tuple[int, ...], itemsize: int) -> int:
    """Return the bytes of the codec's last layers: maps [frames, 161] beside those of the skip."""
    return rows * frames * 161 * itemsize * 4 * channels[0]
