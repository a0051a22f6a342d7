"""The mask baseline as a system to compare with: mixtures and instructions in, waveforms out.

Legend: B mixtures, L samples.
"""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.inference.loaded import LoadedBundles
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.models.mask_separator import MaskSeparatorConfig, separate_masked
from hsmtss_jax.models.text.query import make_query_encoder


class MaskBaseline(LoadedBundles):
    """Separate with a mask_separator bundle and the text encoder it was trained with.

    Raises ValueError for a bundle of another stage, or one trained with another text encoder.
    """

    def __init__(
        self,
        bundle: Bundle,
        text_encoder: Bundle,
        dtype: Any = None,
        *,
        max_text: int = 64,
        window: int = CLIP_SAMPLES,
    ) -> None:
        """Put the weights on the default device.

        Args:
          bundle: the mask separator's.
          text_encoder: the text encoder's.
          dtype: what the network computes in; None: float32 on a CPU, else bfloat16.
          max_text: tokens of a description that are read.
          window: mixtures are padded to a multiple of it [samples], so that few programs are compiled.
        """
        if bundle.stage != "mask_separator":
            raise ValueError(f"the baseline is a bundle of {bundle.stage}, not of mask_separator")
        super().__init__({"mask_separator": bundle, "text_encoder": text_encoder}, dtype)
        self._max_text, self._window = max_text, window
        self._config = from_dict(MaskSeparatorConfig, bundle.config["model"])
        self._encoder = make_query_encoder(text_encoder.stage, text_encoder.config)

    def separate(self, mixture: np.ndarray, instructions: Sequence[Instruction]) -> np.ndarray:
        """Separate mixtures [B, L] at 16 kHz by an instruction each -> float32 [B, L]."""
        assert self.tokenizer is not None, "there is a text encoder"
        samples = mixture.shape[1]
        padded = np.pad(mixture, ((0, 0), (0, -samples % self._window)))
        texts = [instruction.description for instruction in instructions]
        tasks = np.array([instruction.task.number for instruction in instructions], np.int32)
        ids, mask = self.tokenizer(texts, self._max_text)
        return np.asarray(self._separate(self.params, padded, ids, mask, tasks))[:, :samples]

    @functools.partial(jax.jit, static_argnums=0)
    def _separate(self, params: Any, mixture: Any, ids: Any, mask: Any, tasks: Any) -> jax.Array:
        query = self._encoder(params["text_encoder"], ids, mask, self.dtype)
        weights = params["mask_separator"]
        return separate_masked(self._config, weights, mixture, query, tasks, self.dtype)
