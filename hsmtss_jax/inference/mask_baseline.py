"""The mask baseline as a system to compare with: mixtures and sentences in, waveforms out.

Legend: B windows, L samples.
"""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.bundle import Bundle
from hsmtss_jax.config import from_dict
from hsmtss_jax.data.text import TASKS, Tokenizer
from hsmtss_jax.inference.pipeline import check_upstream
from hsmtss_jax.models.text_encoder import TextEncoderConfig
from hsmtss_jax.stages.mask_separator import (
    MaskSeparatorStageConfig,
    query_vector,
    separate_masked,
)


class MaskBaseline:
    """A mask_separator bundle and the text encoder it was trained with, on the default device.

    Raises ValueError for a bundle of another stage, or one trained with another text encoder.
    """

    def __init__(self, bundle: Bundle, text_encoder: Bundle, dtype: Any = None) -> None:
        if bundle.stage != "mask_separator":
            raise ValueError(f"the baseline is a bundle of {bundle.stage}, not of mask_separator")
        check_upstream({"mask_separator": bundle, "text_encoder": text_encoder})
        on_cpu = jax.default_backend() == "cpu"
        self.dtype = dtype or (jnp.float32 if on_cpu else jnp.bfloat16)
        self._config = from_dict(MaskSeparatorStageConfig, bundle.config)
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
        numbers = np.array([TASKS.index(task) for task in tasks], np.int32)
        return np.asarray(self._separate(self._params, mixture, ids, mask, numbers))

    @functools.partial(jax.jit, static_argnums=0)
    def _separate(self, params: Any, mixture: Any, ids: Any, mask: Any, tasks: Any) -> jax.Array:
        query = query_vector(self._encoder, params["text"], ids, mask, self.dtype)
        model = params["model"]
        return separate_masked(self._config, model, mixture, query, tasks, self.dtype)
