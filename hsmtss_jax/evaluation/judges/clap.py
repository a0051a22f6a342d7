"""CLAP as a judge: does a sound fit its description (CLAP score), or its reference (CLAP-A)?

Two sources of a model: transformers' ``ClapModel`` (a folder or a hub id) and ``msclap``, the paper's.
Both crop a long sound at random; here they are given crops of their own length at fixed places, whose
embeddings are averaged, so that a number is the same every time.

Legend: n sounds, L samples at 16 kHz, D width.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.io import resample

CROPS = 3  # of a sound that is longer than the model hears
MSCLAP_RATE, MSCLAP_SECONDS, MSCLAP_VERSION = 44_100, 7, "2023"
_NEEDS = "needs PyTorch: pip install 'hsmtss-jax[torch]'"


class Clap(Protocol):
    """Embed sounds and descriptions in one space."""

    @property
    def name(self) -> str:
        """Return what stands in a heading: "CLAP (msclap 2023)"."""

    def embed_audio(self, audio: np.ndarray) -> np.ndarray:
        """Embed sounds [n, L] -> [n, D]."""

    def embed_text(self, texts: Sequence[str]) -> np.ndarray:
        """Embed n descriptions -> [n, D]."""


def make_clap(which: str) -> Clap:
    """Return the model "msclap", or transformers' of a folder or hub id.

    Raises OSError or ValueError with one line: a package or a model is missing, or is no CLAP.
    """
    return MSClap() if which == "msclap" else TransformersClap.load(which)


class TransformersClap:
    """Embed with ``transformers.ClapModel``, resampled to what its feature extractor asks for."""

    def __init__(self, model: Any, features: Any, tokenizer: Any, name: str) -> None:
        """Keep the parts of a loaded model: network, feature extractor, tokenizer."""
        self.name = name
        self._model, self._features, self._tokenizer = model.eval(), features, tokenizer

    @classmethod
    def load(cls, where: str) -> "TransformersClap":
        """Load a folder or hub id. Raises OSError or ValueError, in one line."""
        try:
            import torch  # noqa: F401  # what ClapModel runs on
            from transformers import ClapModel, ClapProcessor
        except ImportError as error:
            raise ValueError(f"CLAP {_NEEDS}") from error
        try:
            model = ClapModel.from_pretrained(where, use_safetensors=True)
            processor = ClapProcessor.from_pretrained(where)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{where} is no CLAP of transformers: give msclap, a folder, or a hub id such as "
                "laion/clap-htsat-unfused"
            ) from error
        name = Path(where).name if Path(where).exists() else where
        return cls(model, processor.feature_extractor, processor.tokenizer, name)

    def embed_audio(self, audio: np.ndarray) -> np.ndarray:
        """Embed sounds [n, L] -> [n, D]."""
        rate = self._features.sampling_rate
        return np.stack([self._embedding(resample(x, SAMPLE_RATE, rate)) for x in audio])

    def embed_text(self, texts: Sequence[str]) -> np.ndarray:
        """Embed n descriptions -> [n, D]."""
        import torch

        tokens = self._tokenizer(list(texts), padding=True, return_tensors="pt")
        with torch.inference_mode():
            found = self._model.get_text_features(tokens["input_ids"], tokens["attention_mask"])
        return _numpy(found)

    def _embedding(self, sound: np.ndarray) -> np.ndarray:
        """Average the embeddings of a sound's crops, one at a time: a batch makes fused models draw lots."""
        import torch

        rows = []
        for piece in fixed_pieces(sound, self._features.nb_max_samples):
            inputs = self._features(
                piece, sampling_rate=self._features.sampling_rate, return_tensors="pt"
            )
            with torch.inference_mode():
                rows.append(_numpy(self._model.get_audio_features(**inputs)))
        return np.concatenate(rows).mean(axis=0)


class MSClap:
    """Embed with the package ``msclap``, version 2023: what the paper's CLAP score is taken to be."""

    name = f"msclap {MSCLAP_VERSION}"

    def __init__(self, model: Any = None) -> None:
        """Keep a model [loads the package's]. Raises ValueError when it is not installed or reachable."""
        if model is None:
            try:
                from msclap import CLAP
            except ImportError as error:
                raise ValueError("MSCLAP needs its package: pip install msclap") from error
            try:
                model = CLAP(version=MSCLAP_VERSION, use_cuda=False)
            except OSError as error:
                raise ValueError(f"the weights of MSCLAP cannot be downloaded: {error}") from error
        self._model = model

    def embed_audio(self, audio: np.ndarray) -> np.ndarray:
        """Embed sounds [n, L] -> [n, D]; the package reads files, so each crop is written to one."""
        return np.stack([self._embedding(resample(x, SAMPLE_RATE, MSCLAP_RATE)) for x in audio])

    def embed_text(self, texts: Sequence[str]) -> np.ndarray:
        """Embed n descriptions -> [n, D]."""
        return _numpy(self._model.get_text_embeddings(list(texts)))

    def _embedding(self, sound: np.ndarray) -> np.ndarray:
        import soundfile

        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for i, piece in enumerate(fixed_pieces(sound, MSCLAP_SECONDS * MSCLAP_RATE)):
                paths.append(str(Path(folder) / f"{i}.wav"))
                soundfile.write(paths[-1], piece, MSCLAP_RATE, subtype="FLOAT")
            return _numpy(self._model.get_audio_embeddings(paths, resample=True)).mean(axis=0)


def fixed_pieces(sound: np.ndarray, window: int, crops: int = CROPS) -> list[np.ndarray]:
    """Cut a longer sound [L] into ``crops`` of ``window`` samples from its start to its end; else itself."""
    spare = len(sound) - window
    if spare <= 0:
        return [sound]
    starts = np.linspace(0, spare, crops).round().astype(int)
    return [sound[start : start + window] for start in starts]


def _numpy(found: Any) -> np.ndarray:
    """Return an embedding [n, D] that a model gave as a tensor or as the pooled part of an output."""
    tensor = getattr(found, "pooler_output", found)
    return np.asarray(tensor.detach().cpu().float(), np.float64)
