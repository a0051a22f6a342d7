"""From sound to a sentence: the captioner's prefix, and beam search over GPT-2 with an explicit cache.

Legend: B windows, L samples, W samples of a window, K prefix tokens, N tokens, V vocabulary.
"""

import dataclasses
import functools
import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.silence import FLOOR
from hsmtss_jax.audio.windows import WindowPlan, cut_blocks, plan_windows
from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.hub import locate
from hsmtss_jax.bundles.networks import read_encoders
from hsmtss_jax.bundles.pipeline import load_pipeline
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.dist import in_32_bits
from hsmtss_jax.inference.hearing import SHORTEST, Heard, hear
from hsmtss_jax.inference.loaded import LoadedBundles
from hsmtss_jax.inference.recording import Audio, Recording, open_recording
from hsmtss_jax.models.captioner import CaptionerConfig, caption_prefix, language_model
from hsmtss_jax.models.gpt2 import GPT2Config, GPT2Output
from hsmtss_jax.models.text.tokenizer import CausalTokenizer
from hsmtss_jax.nn.apply import apply
from hsmtss_jax.sampling import Beams, apply_in_batches, batches, beam_search

ROLES = ("audio_mae", "q_audio", "gpt2", "captioner")
SOUNDING = 0.1  # share of a window that must be more than digital silence to be described


@dataclasses.dataclass(frozen=True)
class Caption:
    """Hold a sentence about a part of a recording. start, end: [s]. text: empty where it is silent."""

    start: float
    end: float
    text: str


class Captioner(LoadedBundles):
    """Describe sounds in sentences (HSM-TSS section V-B).

    >>> captioner = Captioner.from_pretrained()
    >>> spans = list(captioner.describe("street.wav"))

    Attributes: window (samples of one window).
    """

    @in_32_bits
    def __init__(self, bundles: Mapping[str, Bundle], dtype: Any = None) -> None:
        """Load bundles of ``ROLES`` on the default device.

        Raises ValueError when the captioner was trained against others than those given.
        """
        super().__init__(bundles, dtype)
        self._encoders = read_encoders(bundles, self.dtype)
        self._map = from_dict(CaptionerConfig, bundles["captioner"].config["model"])
        self._gpt2 = from_dict(GPT2Config, bundles["gpt2"].config["model"])
        self._tokenizer = CausalTokenizer.from_bundle(bundles["gpt2"])
        self.window = self._encoders.fbank.window_samples
        self.params["gpt2"] = language_model(self.params["captioner"], self.params)

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | None = None) -> "Captioner":
        """Load the captioner of a pipeline: a folder, a hub id ("owner/name"), or the demo bundle.

        Raises ValueError or OSError.
        """
        return cls(load_pipeline(locate(source), ROLES).bundles)

    def caption(
        self,
        audio: np.ndarray,
        *,
        batch: int = 8,
        beams: int = 5,
        tokens: int = 67,
        length_power: float = 1.0,
    ) -> list[str]:
        """Write a sentence for each row of audio [B, L], L = window.

        Args:
          audio: any number of rows.
          batch: rows that are computed at once.
          beams, tokens, length_power: see ``beam_search``.

        Raises ValueError when prefix and tokens exceed GPT-2's positions.
        """

        def search(part: np.ndarray) -> jax.Array:
            return self.search(part, beams, tokens, length_power).tokens[:, 0]

        return [self._text(row) for row in apply_in_batches(search, audio, limit=batch)]

    @in_32_bits
    def search(
        self, audio: np.ndarray, beams: int = 5, tokens: int = 67, length_power: float = 1.0
    ) -> Beams:
        """Search the best token sequences of each row of audio [B, L], L = window: see ``beam_search``."""
        return self._search(self.params, audio, beams, tokens, length_power)

    def describe(
        self,
        audio: Audio | Recording,
        sample_rate: int | None = None,
        *,
        batch: int = 8,
        beams: int = 5,
        tokens: int = 32,
    ) -> Iterator[Caption]:
        """Describe every window of a recording; consecutive windows with one sentence are one span.

        Args:
          audio: a path, float samples [L] or [L, C] with their ``sample_rate``, or an open recording.
          sample_rate: of samples [Hz].
          batch: windows that are computed at once.
          beams, tokens: see ``beam_search``.

        Raises ValueError for a recording that is silent, shorter than 50 ms, or holds NaN.
        """
        recording = audio if isinstance(audio, Recording) else open_recording(audio, sample_rate)
        heard = hear(recording, SAMPLE_RATE)
        plan = plan_windows(heard.length, self.window, 0)
        spans = self._spans(heard, plan, batch, beams, tokens)
        for _, group in itertools.groupby(spans, key=lambda span: span.text):
            same = list(group)
            yield Caption(same[0].start, same[-1].end, same[0].text)

    def _spans(
        self,
        heard: Heard,
        plan: WindowPlan,
        batch: int,
        beams: int,
        tokens: int,
    ) -> Iterator[Caption]:
        """Yield a span for each window, and one for silence before and behind them."""
        rate, whole = heard.whole.sample_rate, heard.whole.length / heard.whole.sample_rate
        before, behind = heard.silence_before / rate, heard.silence_behind / rate
        before, behind = (each if each > SHORTEST else 0.0 for each in (before, behind))
        if before:
            yield Caption(0.0, before, "")
        for part in batches(enumerate(cut_blocks(heard.mono(), plan)), batch):
            audio = [window for _, window in part]
            texts = self.caption(np.stack(audio), batch=batch, beams=beams, tokens=tokens)
            for (index, window), text in zip(part, texts, strict=True):
                start = before + index * plan.hop / SAMPLE_RATE
                used = plan.used(index)
                silent = np.mean(np.abs(window[:used]) > FLOOR) < SOUNDING
                last = index == plan.count - 1
                end = whole - behind if last else start + used / SAMPLE_RATE
                yield Caption(start, end, "" if silent else text)
        if behind:
            yield Caption(whole - behind, whole, "")

    def _text(self, ids: np.ndarray) -> str:
        ends = np.flatnonzero(ids == self._tokenizer.end_id)
        kept = ids[: ends[0]] if len(ends) else ids
        return self._tokenizer.decode(kept.tolist()).strip()

    @functools.partial(jax.jit, static_argnums=(0, 3, 4, 5))
    def _search(self, params: Any, audio: Any, beams: int, tokens: int, power: float) -> Beams:
        start = caption_prefix(self._map, self._encoders, params["captioner"], params, audio)
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
        return apply(model, {"params": params["gpt2"]}, inputs, None, cache, out=GPT2Output)


def _rows(cache: Any, rows: jax.Array) -> Any:
    """Return the cache with these rows of every layer; leaves are [layers, B, ...], the length [layers]."""
    return cache.replace(k=cache.k[:, rows], v=cache.v[:, rows])
