"""The same networks in PyTorch, timed in the same run: what people would use instead.

torch and timm are no dependencies: they come with the ``parity`` extra.
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
    """timm's VisionTransformer of the encoder's sizes, random weights, no gradient, float32 on CPU and
    bfloat16 on CUDA."""
    torch, timm = _require("torch"), _require("timm.models.vision_transformer")
    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    model = timm.VisionTransformer(
        img_size=(config.frames, config.n_mels),
        patch_size=config.patch,
        in_chans=1,
        num_classes=0,
        global_pool="",
        class_token=False,
        embed_dim=config.width,
        depth=config.depth,
        num_heads=config.heads,
    )
    model = model.to(device, torch.bfloat16 if cuda else torch.float32).eval()
    x = torch.randn(batch, 1, config.frames, config.n_mels, device=device)
    x = x.to(next(model.parameters()).dtype)

    def call() -> None:
        with torch.inference_mode():
            model(x)
        if cuda:
            torch.cuda.synchronize()

    return Timing(steady(call, repeats))
