"""Run the mask separator in PyTorch, the peer of ``hsmtss speed mask_separator``.

torch.nn's layers under the names of AudioSep's public code, so that ``bundles.importers.audiosep``
imports its state dict. torch comes with the ``parity`` extra.

Legend: B batch, L samples, T frames, F bins, C channels, E width of the query.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from hsmtss_jax.models.mask_separator import MaskSeparatorConfig

_SLOPE = 0.01
_EPS = 1e-10


class Residual(nn.Module):
    """Apply two 3x3 convolutions with a shortcut: [B, I, T, F] -> [B, O, T, F]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.is_shortcut = inputs != outputs
        if self.is_shortcut:
            self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: torch.Tensor, shift1: torch.Tensor, shift2: torch.Tensor) -> torch.Tensor:
        y = self.conv1(functional.leaky_relu(self.bn1(x) + shift1, _SLOPE))
        y = self.conv2(functional.leaky_relu(self.bn2(y) + shift2, _SLOPE))
        return y + (self.shortcut(x) if self.is_shortcut else x)


class Encoder(nn.Module):
    """Hold the residual block of a level."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv_block1 = Residual(inputs, outputs)


class Decoder(nn.Module):
    """Hold the transposed convolution and the residual block of a level. bn2 is public and unread."""

    def __init__(self, inputs: int, outputs: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(inputs)
        self.conv1 = nn.ConvTranspose2d(inputs, outputs, stride, stride, bias=False)
        self.conv_block2 = Residual(2 * outputs, outputs)


class TorchResUNet(nn.Module):
    """Separate in evaluation mode."""

    window: torch.Tensor
    base: Any
    film: Any

    def __init__(self, config: MaskSeparatorConfig, query: int) -> None:
        super().__init__()
        self.config, channels = config, config.channels
        base: Any = nn.Module()
        film: Any = nn.Module()
        base.bn0 = nn.BatchNorm2d(config.n_fft // 2 + 1)
        base.pre_conv = nn.Conv2d(1, channels[0], 1)
        base.after_conv = nn.Conv2d(channels[0], 3, 1)
        levels, lower = len(channels), (*channels[1:], channels[-1])
        for i, (before, after) in enumerate(zip((channels[0], *channels), channels, strict=False)):
            base.add_module(f"encoder_block{i + 1}", Encoder(before, after))
            below = Decoder(lower[i], after, config.strides[i])
            base.add_module(f"decoder_block{levels - i}", below)
        base.add_module(f"conv_block{levels + 1}a", Encoder(channels[-1], channels[-1]))
        for name, module in base.named_modules():
            if isinstance(module, Residual | Decoder):
                for number, norm in ((1, module.bn1), (2, module.bn2)):
                    layer = nn.Linear(query, norm.num_features)
                    film.add_module(f"{name.replace('.', '->')}->beta{number}", layer)
        self.base, self.film = base, film
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)

    def forward(self, mixture: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
        """Separate mixture [B, L] by query [B, E] -> [B, L]."""
        cfg, base = self.config, self.base
        settings: dict[str, Any] = {
            "n_fft": cfg.n_fft,
            "hop_length": cfg.hop,
            "window": self.window,
        }
        z = torch.stft(
            mixture, **settings, center=True, pad_mode="reflect", return_complex=True
        ).transpose(1, 2)[:, None]
        x = base.bn0(z.abs().transpose(1, 3)).transpose(1, 3)
        frames = x.shape[2]
        x = functional.pad(x, (0, 0, 0, -frames % cfg.time_multiple))[..., :-1]
        out = functional.pad(base.after_conv(self._unet(x, query)), (0, 1))[:, :, :frames]
        gain, turn = torch.sigmoid(out[:, :1]), torch.tanh(out[:, 1:])
        turn = turn / torch.sqrt(turn.square().sum(1, keepdim=True) + _EPS)
        masked = z * gain * torch.complex(turn[:, :1], turn[:, 1:])
        return torch.istft(masked[:, 0].transpose(1, 2), **settings, length=mixture.shape[1])

    def _unet(self, x: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
        """Run the U-Net: [B, 1, T, F] -> [B, C, T, F]."""
        base, levels = self.base, len(self.config.channels)
        x = base.pre_conv(x)
        skips = []
        for i, stride in enumerate(self.config.strides):
            name = f"encoder_block{i + 1}"
            x = self._residual(x, query, f"{name}.conv_block1")
            skips.append(x)
            x = functional.avg_pool2d(x, stride)
        x = self._residual(x, query, f"conv_block{levels + 1}a.conv_block1")
        for i in reversed(range(levels)):
            name = f"decoder_block{levels - i}"
            block: Any = base.get_submodule(name)
            x = functional.leaky_relu(block.bn1(x) + self._shift(query, name, 1), _SLOPE)
            x = torch.cat([block.conv1(x), skips[i]], 1)
            x = self._residual(x, query, f"{name}.conv_block2")
        return x

    def _residual(self, x: torch.Tensor, query: torch.Tensor, name: str) -> torch.Tensor:
        shifts = (self._shift(query, name, number) for number in (1, 2))
        return self.base.get_submodule(name)(x, *shifts)

    def _shift(self, query: torch.Tensor, name: str, number: int) -> torch.Tensor:
        """Compute what the query adds to each channel: [B, C, 1, 1]."""
        layer = self.film.get_submodule(f"{name.replace('.', '->')}->beta{number}")
        return layer(query)[:, :, None, None]
