"""The mask baseline as a system to compare with: mixtures and sentences in, waveforms out.

Legend: B windows, L samples.
"""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from hsmtss_jax.bundles.bundle import Bundle, check_upstream
from hsmtss_jax.config import from_dict
from hsmtss_jax.dist import compute_dtype
from hsmtss_jax.models.mask_separator import MaskSeparatorConfig, query_vector, separate_masked
from hsmtss_jax.models.text.encoder import TextEncoderConfig
from hsmtss_jax.models.text.tokenizer import Tokenizer
from hsmtss_jax.task import Task


class MaskBaseline:
    """A mask_separator bundle and the text encoder it was trained with, on the default device.

    Raises ValueError for a bundle of another stage, or one trained with another text encoder.
    """

    def __init__(self, bundle: Bundle, text_encoder: Bundle, dtype: Any = None) -> None:
        if bundle.stage != "mask_separator":
            raise ValueError(f"the baseline is a bundle of {bundle.stage}, not of mask_separator")
        check_upstream({"mask_separator": bundle, "text_encoder": text_encoder})
        self.dtype = dtype or compute_dtype()
        self._config = from_dict(MaskSeparatorConfig, bundle.config["model"])
        self._encoder = from_dict(TextEncoderConfig, text_encoder.config["model"])
        self._tokenizer = Tokenizer.from_bundle(text_encoder)
        self._params = jax.device_put({"model": bundle.params, "text": text_encoder.params})

    def separate(
        self,
        mixture: np.ndarray,
        tasks: Sequence[str],
        descriptions: Sequence[str],
        max_text: int,
    ) -> np.ndarray:
        """Mixtures [B, L] at 16 kHz and an instruction each -> estimates float32 [B, L].

        max_text: tokens of a description that are read.
        """
        ids, mask = self._tokenizer(list(descriptions), max_text)
        numbers = np.array([Task(task).number for task in tasks], np.int32)
        return np.asarray(self._separate(self._params, mixture, ids, mask, numbers))

    @functools.partial(jax.jit, static_argnums=0)
    def _separate(self, params: Any, mixture: Any, ids: Any, mask: Any, tasks: Any) -> jax.Array:
        query = query_vector(self._encoder, params["text"], ids, mask, self.dtype)
        model = params["model"]
        return separate_masked(self._config, model, mixture, query, tasks, self.dtype)
