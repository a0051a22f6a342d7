"""AFSim (HSM-TSS section V-A): how alike an audio language model finds two sounds.

The paper takes Audio Flamingo, asks it to caption a sound, and averages its penultimate layer over all
tokens; AFSim is the cosine of two such vectors. Any audio language model of transformers that takes a
chat of text and audio fits here; its name belongs to the number. The paper's prompt is not printed.

Legend: n sounds, L samples at 16 kHz, N tokens, D width of the language model.
"""

from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.io import resample

PROMPT = "Describe the sound in detail."


class AudioLanguageModel:
    """Embed sounds by the penultimate layer of an audio language model."""

    def __init__(self, model: Any, processor: Any, name: str, prompt: str = PROMPT) -> None:
        """Keep a loaded model and its processor, which makes tokens and features of a chat."""
        self.name, self.prompt = name, prompt
        self._model, self._processor = model.eval(), processor

    @classmethod
    def load(cls, where: str, prompt: str = PROMPT) -> "AudioLanguageModel":
        """Load a folder or hub id such as nvidia/audio-flamingo-3-hf. Raises ValueError, in one line."""
        try:
            import torch  # noqa: F401  # what the model runs on
            import transformers
        except ImportError as error:
            raise ValueError("AFSim needs PyTorch: pip install 'hsmtss-jax[torch]'") from error
        try:
            config = transformers.AutoConfig.from_pretrained(where)
            architecture = getattr(transformers, (config.architectures or [""])[0])
            model = architecture.from_pretrained(where, use_safetensors=True)
            processor = transformers.AutoProcessor.from_pretrained(where)
        except (OSError, ValueError, AttributeError) as error:
            raise ValueError(
                f"{where} is no audio language model of transformers: give a folder, or a hub id such "
                "as nvidia/audio-flamingo-3-hf"
            ) from error
        name = Path(where).name if Path(where).exists() else where
        return cls(model, processor, name, prompt)

    def embed_audio(self, audio: np.ndarray) -> np.ndarray:
        """Embed sounds [n, L] -> [n, D], one at a time: nothing is padded."""
        return np.stack([self._embedding(sound) for sound in audio])

    def _embedding(self, sound: np.ndarray) -> np.ndarray:
        import torch

        rate = self._processor.feature_extractor.sampling_rate
        heard = resample(np.asarray(sound, np.float32), SAMPLE_RATE, rate)
        content = [{"type": "text", "text": self.prompt}, {"type": "audio", "audio": heard}]
        inputs = self._processor.apply_chat_template(
            [[{"role": "user", "content": content}]],
            tokenize=True,
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            layers = self._model(**inputs, output_hidden_states=True).hidden_states
        return np.asarray(layers[-2][0].float().mean(dim=0), np.float64)
