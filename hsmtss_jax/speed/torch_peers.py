"""Run the same networks in PyTorch, to be timed in the same run.

torch is no dependency: it comes with the ``parity`` extra.
"""

import importlib
from collections.abc import Callable
from typing import Any

from hsmtss_jax.models.audio_mae import AudioMAEConfig


def require(name: str) -> Any:
    """Import a package of the comparison. Raises ValueError when it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError(
            f"the comparison needs {name}: pip install 'hsmtss-jax[parity]', or leave --peer out"
        ) from error


def vit_calls(config: AudioMAEConfig, batch: int) -> dict[str, Callable[[], None]]:
    """Return calls of ViTs of the encoder's sizes with random weights, without gradient, by name.

    float32 on CPU, bfloat16 on CUDA. timm's where timm can be imported, else transformers', which runs the
    same operators one by one; and torch.nn's own pre-norm encoder, whose inference path is fused.
    """
    torch = require("torch")
    cuda = torch.cuda.is_available()
    device, dtype = ("cuda", torch.bfloat16) if cuda else ("cpu", torch.float32)
    x = torch.randn(batch, 1, config.frames, config.n_mels, device=device, dtype=dtype)

    def call(network: Any) -> Callable[[], None]:
        network = network.to(device, dtype).eval()

        def run() -> None:
            with torch.inference_mode():
                network(x)
            if cuda:
                torch.cuda.synchronize()

        return run

    name, eager = _eager(config)
    return {name: call(eager), "torch.nn's fused encoder": call(_fused(torch, config))}


def _eager(config: AudioMAEConfig) -> tuple[str, Any]:
    """Create timm's ViT, or transformers' under its own name."""
    size = (config.frames, config.n_mels)
    try:
        from timm.models.vision_transformer import VisionTransformer
    except (ImportError, RuntimeError):  # its torchvision may be built for another torch
        from transformers import ViTConfig, ViTModel

        sizes = ViTConfig(
            hidden_size=config.width,
            num_hidden_layers=config.depth,
            num_attention_heads=config.heads,
            intermediate_size=4 * config.width,
            image_size=size,
            patch_size=config.patch,
            num_channels=1,
        )
        return "transformers' ViT", ViTModel(sizes, add_pooling_layer=False)
    return "timm's ViT", VisionTransformer(
        img_size=size,
        patch_size=config.patch,
        in_chans=1,
        embed_dim=config.width,
        depth=config.depth,
        num_heads=config.heads,
        num_classes=0,
        global_pool="",
    )


def _fused(torch: Any, config: AudioMAEConfig) -> Any:
    """Create patches, a position embedding and torch.nn.TransformerEncoder."""
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

    class Encoder(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.patches = torch.nn.Conv2d(1, config.width, config.patch, config.patch)
            self.position = torch.nn.Parameter(torch.zeros(1, config.patches, config.width))
            self.stack = torch.nn.TransformerEncoder(
                layer, config.depth, norm, enable_nested_tensor=False
            )

        def forward(self, x: Any) -> Any:
            return self.stack(self.patches(x).flatten(2).transpose(1, 2) + self.position)

    return Encoder()
