"""EnCodec and DAC as the codecs to compare with, in PyTorch by transformers (extra ``codecs``).

Legend: L samples, N token frames, K codebooks.
"""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import DacModel, EncodecModel

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.io import resample
from hsmtss_jax.evaluation.codec import Coded

_CLASSES: dict[str, Any] = {"encodec": EncodecModel, "dac": DacModel}


class TorchCodec:
    """Code clips with a pre-trained codec at ``kbps``: they are resampled to its rate and back."""

    def __init__(self, kind: str, model: Any, kbps: float = 6.0) -> None:
        """Load a model. Raises ValueError for one without such a bit rate, or of more than one channel."""
        config = model.config
        self.kind, self.kbps = kind, kbps
        self._model = model.eval()
        self.sample_rate: int = config.sampling_rate
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        self.codes: int = config.codebook_size
        self.frame_rate = config.sampling_rate / config.hop_length
        of_one = math.log2(self.codes) * self.frame_rate / 1000.0
        self.groups = round(kbps / of_one)
        self.name = f"{'EnCodec' if kind == 'encodec' else 'DAC'} {self.sample_rate // 1000} kHz"
        if kind == "encodec" and kbps not in config.target_bandwidths:
            raise ValueError(f"{self.name} has no {kbps:g} kbps: {config.target_bandwidths}")
        if kind == "encodec" and (config.audio_channels != 1 or config.chunk_length is not None):
            raise ValueError(f"{self.name} is not the mono model: give encodec_24khz")
        if kind == "dac" and not 1 <= self.groups <= config.n_codebooks:
            raise ValueError(f"{self.name} has {config.n_codebooks} codebooks, not {self.groups}")

    def prepare(self, samples: int) -> float:
        """Return 0: nothing is compiled."""
        return 0.0

    @torch.inference_mode()
    def code(self, clip: np.ndarray) -> Coded:
        """Encode and decode a clip [L] at 16 kHz."""
        audio = resample(clip, SAMPLE_RATE, self.sample_rate)
        whole = np.pad(audio, (0, -len(audio) % self._model.config.hop_length))
        x = torch.from_numpy(whole)[None, None]
        if self.kind == "encodec":
            coded = self._model.encode(x, bandwidth=self.kbps)
            codes = coded.audio_codes[0]
            out = self._model.decode(coded.audio_codes, coded.audio_scales).audio_values[0, 0]
        else:
            codes = self._model.encode(x, n_quantizers=self.groups).audio_codes
            out = self._model.decode(audio_codes=codes).audio_values[0]
        back = resample(out.numpy(), self.sample_rate, SAMPLE_RATE)
        back = np.pad(back[: len(clip)], (0, max(0, len(clip) - len(back))))
        return Coded(codes[0].T.numpy(), back)


def load_torch_codec(kind: str, folder: str | os.PathLike[str], kbps: float = 6.0) -> TorchCodec:
    """Load the codec of a folder with config.json and model.safetensors; nothing is unpickled or downloaded.

    Raises ValueError for an unknown kind or a model without this bit rate, OSError for missing files.
    """
    if kind not in _CLASSES:
        raise ValueError(f"unknown codec {kind!r}: choose one of {', '.join(_CLASSES)}")
    if not (Path(folder) / "config.json").is_file():
        raise FileNotFoundError(f"{folder} has no config.json: give the folder of a {kind} model")
    model = _CLASSES[kind].from_pretrained(folder, local_files_only=True, use_safetensors=True)
    return TorchCodec(kind, model, kbps)
