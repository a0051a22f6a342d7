"""The same networks in PyTorch, timed in the same run: what people would use instead.

torch is no dependency: it comes with the ``parity`` extra.
"""

import importlib
from typing import Any

from hsmtss_jax.benchmarks.timing import Timing, steady
from hsmtss_jax.models.audio_mae import AudioMAEConfig


def _require(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError(
            f"the comparison needs {name}: pip install 'hsmtss-jax[parity]', or leave --peer out"
        ) from error


def vit_seconds(config: AudioMAEConfig, batch: int, repeats: int) -> Timing:
    """A ViT of the encoder's sizes with random weights, without gradient: float32 on CPU, bfloat16 on
    CUDA. It is torch.nn's own pre-norm encoder, whose inference path is fused."""
    torch = _require("torch")
    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    dtype = torch.bfloat16 if cuda else torch.float32
    layer = torch.nn.TransformerEncoderLayer(
        config.width,
        config.heads,
        4 * config.width,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )
    norm = torch.nn.LayerNorm(config.width)
    stack = torch.nn.TransformerEncoder(layer, config.depth, norm, enable_nested_tensor=False)
    patches = torch.nn.Conv2d(1, config.width, config.patch, config.patch)
    stack, patches = (module.to(device, dtype).eval() for module in (stack, patches))
    position = torch.zeros(1, config.patches, config.width, device=device, dtype=dtype)
    x = torch.randn(batch, 1, config.frames, config.n_mels, device=device, dtype=dtype)

    def call() -> None:
        with torch.inference_mode():
            stack(patches(x).flatten(2).transpose(1, 2) + position)
        if cuda:
            torch.cuda.synchronize()

    return Timing(steady(call, repeats))
