"""Run a GPT-2 of the acoustic decoder's size in PyTorch transformers, for comparison.

torch is no dependency: it comes with the ``parity`` extra.
"""

import dataclasses
import importlib
import time
from collections.abc import Callable
from typing import Any

from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
from hsmtss_jax.sampling import Policy

CACHES = ("dynamic", "static")


@dataclasses.dataclass(frozen=True)
class PeerTimes:
    """Store the times of one call of ``generate`` [s]: up to the first token, and of the tokens after it."""

    prefill: float
    decode: float


class _Clock:
    """Record the time of the first token, as a stopping criterion that never stops."""

    def __init__(self, torch: Any, wait: Callable[[], None]) -> None:
        self.torch, self.wait, self.first = torch, wait, 0.0

    def __call__(self, ids: Any, scores: Any, **options: Any) -> Any:
        if not self.first:
            self.wait()
            self.first = time.perf_counter()
        return self.torch.zeros(len(ids), dtype=self.torch.bool, device=ids.device)


@dataclasses.dataclass(frozen=True)
class Peer:
    """Hold a GPT-2 with random weights, ready to generate. model: of transformers; torch: the module."""

    torch: Any
    model: Any
    prompt: int
    policy: Policy

    def times(self, batch: int, frames: int, cache: str) -> PeerTimes:
        """Time one call of ``generate``: the prompt, one token, and ``frames`` more per row."""
        torch = self.torch
        device = self.model.device
        wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
        clock = _Clock(torch, wait)
        ids = torch.randint(0, self.model.config.vocab_size, (batch, self.prompt), device=device)
        begun = time.perf_counter()
        with torch.inference_mode():
            out = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=frames + 1,
                use_cache=True,
                cache_implementation=cache,
                stopping_criteria=[clock],
                **self._sampling(),
            )
        wait()
        ended = time.perf_counter()
        if out.shape != (batch, self.prompt + frames + 1):
            raise RuntimeError(f"transformers returned {tuple(out.shape)}")
        return PeerTimes(prefill=clock.first - begun, decode=ended - clock.first)

    def faster_cache(self, batch: int, frames: int = 8) -> str:
        """Return the cache, static or dynamic, with which a few tokens after the prompt take less time."""
        taken = {cache: self.times(batch, frames, cache).decode for cache in CACHES}
        return min(taken, key=lambda cache: taken[cache])

    def _sampling(self) -> dict[str, Any]:
        if not self.policy.temperature:
            return {"do_sample": False}
        return {
            "do_sample": True,
            "temperature": self.policy.temperature,
            "top_k": self.policy.top_k,
            "top_p": self.policy.top_p,
        }


def make_peer(config: AcousticDecoderConfig, frames: int, policy: Policy) -> Peer:
    """Create a GPT-2 of the decoder's width, depth, heads, context and size of the output layer.

    float32 on CPU, bfloat16 on CUDA. A frame's K groups of V + 1 classes become one vocabulary, so that
    a step reads as many weights.

    Raises:
      ValueError: torch is missing.
    """
    try:
        torch = importlib.import_module("torch")
        from transformers import GPT2Config, GPT2LMHeadModel
        from transformers.utils import logging
    except ImportError as error:
        raise ValueError(
            "the comparison needs torch and transformers: pip install 'hsmtss-jax[parity]', or leave "
            "--peer out"
        ) from error

    logging.set_verbosity_error()
    prompt = config.patches if config.has_prefix else 1
    sizes = GPT2Config(
        vocab_size=config.groups * (config.codes + 1),
        n_positions=prompt + frames + 1,
        n_embd=config.width,
        n_layer=config.depth,
        n_head=config.heads,
        n_inner=config.mlp_ratio * config.width,
        activation_function="gelu_new" if config.approximate_gelu else "gelu",
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    cuda = torch.cuda.is_available()
    model = GPT2LMHeadModel(sizes).eval()
    if cuda:
        model = model.to("cuda", torch.bfloat16)
    return Peer(torch=torch, model=model, prompt=prompt, policy=policy)
