"""Sound to a sentence: the captioner's prefix, and beam search over GPT-2 with an explicit cache.

Legend: B windows, L samples, K prefix tokens, N tokens, V vocabulary.
"""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.bundle import Bundle
from hsmtss_jax.config import from_dict
from hsmtss_jax.data.text import CausalTokenizer
from hsmtss_jax.inference.pipeline import check_upstream
from hsmtss_jax.inference.system import window_samples
from hsmtss_jax.models.gpt2 import GPT2Config, GPT2Output
from hsmtss_jax.sampling.beam import Beams, beam_search
from hsmtss_jax.stages.captioner import CaptionerStageConfig, language_model, prefix
from hsmtss_jax.stages.features import Features

ROLES = ("audio_mae", "q_audio", "gpt2", "captioner")


class CaptionWriter:
    """Bundles of ``ROLES`` on the default device.

    Attributes: window (samples of one window). Raises ValueError when the captioner was trained
    against others than those given.
    """

    def __init__(self, bundles: Mapping[str, Bundle], dtype: Any = None) -> None:
        check_upstream(bundles)
        on_cpu = jax.default_backend() == "cpu"
        self.dtype = dtype or (jnp.float32 if on_cpu else jnp.bfloat16)
        self._features = Features(bundles, self.dtype)
        self._map = from_dict(CaptionerStageConfig, bundles["captioner"].config).model
        self._gpt2 = from_dict(GPT2Config, bundles["gpt2"].config["model"])
        self._tokenizer = CausalTokenizer.from_bundle(bundles["gpt2"])
        self.window = window_samples(self._features.fbank)
        params = {name: bundle.params for name, bundle in bundles.items()}
        params["gpt2"] = language_model(params["captioner"], params)
        self._params = jax.device_put(params)

    def write(
        self, audio: np.ndarray, *, beams: int = 5, tokens: int = 67, length_power: float = 1.0
    ) -> list[str]:
        """A sentence for each row of audio [B, L], L = window; see ``beam_search`` for the options.

        Raises ValueError when prefix and tokens exceed GPT-2's positions.
        """
        found = self._search(self._params, audio, beams, tokens, length_power)
        best = np.asarray(found.tokens[:, 0])
        return [self._text(row) for row in best]

    def _text(self, ids: np.ndarray) -> str:
        ends = np.flatnonzero(ids == self._tokenizer.end_id)
        kept = ids[: ends[0]] if len(ends) else ids
        return self._tokenizer.decode(kept.tolist()).strip()

    @functools.partial(jax.jit, static_argnums=(0, 3, 4, 5))
    def _search(self, params: Any, audio: Any, beams: int, tokens: int, power: float) -> Beams:
        start = prefix(self._map, self._features, params["captioner"], params, audio)
        slots = start.shape[1] + tokens
        cache = self._gpt2.cache(start.shape[0], slots, self.dtype)
        out = self._run(params, start, cache)
        cache = _rows(out.cache, jnp.repeat(jnp.arange(start.shape[0]), beams))

        def step(previous: jax.Array, cache: Any) -> tuple[jax.Array, Any]:
            out = self._run(params, previous[:, None], cache)
            return out.logits[:, -1], out.cache

        return beam_search(
            step,
            cache,
            out.logits[:, -1],
            beams=beams,
            tokens=tokens,
            end=self._tokenizer.end_id,
            reorder=_rows,
            length_power=power,
        )

    def _run(self, params: Any, inputs: jax.Array, cache: Any) -> GPT2Output:
        model = self._gpt2.make(self.dtype)
        out = model.apply({"params": params["gpt2"]}, inputs, None, cache)
        assert isinstance(out, GPT2Output)
        return out


def _rows(cache: Any, rows: jax.Array) -> Any:
    """The cache with these rows of every layer; leaves are [layers, B, ...], the length [layers]."""
    return cache.replace(k=cache.k[:, rows], v=cache.v[:, rows])
