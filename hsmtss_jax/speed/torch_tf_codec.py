"""Run TF-Codec in PyTorch, the peer of ``hsmtss speed codec``.

torch.nn's layers under the names of the public code, so that ``bundles.importers.tf_codec`` imports its
state dict. torch comes with the ``parity`` extra.

Legend: B batch, L samples, T STFT frames, N token frames, F bins, C channels, K groups, V codes,
D width of a group's vector.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from hsmtss_jax.models.tf_codec.model import TFCodecConfig

_FLOOR = 1e-7
_STRIDES, _PADS, _BINS = (1, 4, 4, 2), (2, 2, 2, 1), 5


class ConvLayer(nn.Module):
    """Apply a causal convolution, BatchNorm and PReLU: [B, I, T, F] -> [B, O, T, G]."""

    def __init__(self, inputs: int, outputs: int, stride: int, pad: int) -> None:
        super().__init__()
        self.pad = (pad, pad, 1, 0)
        self.conv = nn.Conv2d(inputs, outputs, (2, 5), (1, stride), bias=False)
        self.bn_conv = nn.BatchNorm2d(outputs, eps=1e-3)
        self.nonlinearity = nn.PReLU(init=0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.nonlinearity(self.bn_conv(self.conv(functional.pad(x, self.pad))))


class DeconvLayer(nn.Module):
    """Apply a transposed convolution, cropped, BatchNorm and PReLU: [B, I, T, G] -> [B, O, T, F]."""

    def __init__(self, inputs: int, outputs: int, stride: int, crop: int) -> None:
        super().__init__()
        self.crop = crop
        self.deconv = nn.ConvTranspose2d(inputs, outputs, (2, 5), (1, stride), bias=False)
        self.bn_deconv = nn.BatchNorm2d(outputs, eps=1e-3)
        self.nonlinearity = nn.PReLU(init=0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.deconv(x)[:, :, :-1, self.crop : -self.crop]
        return self.nonlinearity(self.bn_deconv(x))


class LastLayer(nn.Module):
    """Apply the decoder's fourth layer, a plain convolution under the public name."""

    def __init__(self, inputs: int, outputs: int, pad: int) -> None:
        super().__init__()
        self.conv2d_dec_1 = ConvLayer(inputs, outputs, 1, pad)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv2d_dec_1(x)


class TCM(nn.Module):
    """Apply a temporal convolution module to [B, C, T, 1]."""

    def __init__(self, width: int, hidden: int, dilation: int) -> None:
        super().__init__()
        self.past = 4 * dilation
        self.conv_first = nn.Conv2d(width, hidden, 1, bias=False)
        self.bn_first = nn.BatchNorm2d(hidden, eps=1e-3)
        self.nonlinearity1 = nn.PReLU(init=0.5)
        self.conv_depthwise = nn.Conv2d(
            hidden, hidden, (5, 1), dilation=(dilation, 1), groups=hidden, bias=False
        )
        self.bn_depthwise = nn.BatchNorm2d(hidden, eps=1e-3)
        self.nonlinearity2 = nn.PReLU(init=0.5)
        self.conv_second = nn.Conv2d(hidden, width, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.nonlinearity1(self.bn_first(self.conv_first(x)))
        h = self.conv_depthwise(functional.pad(h, (0, 0, self.past, 0)))
        return x + self.conv_second(self.nonlinearity2(self.bn_depthwise(h)))


class Codebook(nn.Module):
    """Hold one group's codes, [1, V, D]."""

    def __init__(self, codes: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(1, codes, width).uniform_(-1.0, 1.0))

    def nearest(self, x: torch.Tensor) -> torch.Tensor:
        """Return the nearest codes of [B, N, D] -> int [B, N]."""
        codes, flat = self.embedding[0], x.flatten(0, 1)
        norms = codes.square().sum(1) + flat.square().sum(1, keepdim=True)
        distance = torch.addmm(norms, flat, codes.T, alpha=-2.0)
        return distance.argmin(-1).view(x.shape[:2])


class TorchTFCodec(nn.Module):
    """Run the codec in evaluation mode."""

    window: torch.Tensor
    basis: torch.Tensor
    h0: torch.Tensor
    h0_enc: torch.Tensor

    def __init__(self, config: TFCodecConfig) -> None:
        super().__init__()
        self.config = config
        channels, width = config.channels, config.width
        pairs = list(zip((2, *channels[:-1]), channels, strict=True))
        layers = zip(pairs, _STRIDES, _PADS, strict=True)
        self.enc_list = nn.ModuleList(ConvLayer(i, o, s, p) for (i, o), s, p in layers)
        back = list(zip(pairs, _STRIDES, _PADS, strict=True))[:0:-1]
        self.dec_list = nn.ModuleList(DeconvLayer(o, i, s, p) for (i, o), s, p in back)
        self.dec_list.append(LastLayer(channels[0], 2, _PADS[0]))
        self.tcm_list_enc, self.tcm_list1, self.tcm_list2 = (self._tcms() for _ in range(3))
        self.gru_enc = nn.GRU(width, width, batch_first=True)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.h0_enc = nn.Parameter(torch.zeros(1, 1, width))
        self.h0 = nn.Parameter(torch.zeros(1, 1, width))
        self.conv1x1_1 = nn.Conv2d(width, config.latent, 1, bias=False)
        self.conv1x1_2 = nn.Conv2d(config.latent, width, 1, bias=False)
        self.vq_layer_list = nn.ModuleList(
            Codebook(config.codes, config.group_width) for _ in range(config.groups)
        )
        self.out_conv = nn.Conv2d(2, 2, (2, 5), bias=False)
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self.register_buffer("basis", self._inverse_basis(), persistent=False)

    def _tcms(self) -> nn.ModuleList:
        cfg = self.config
        return nn.ModuleList(TCM(cfg.width, cfg.tcm_hidden, d) for d in cfg.tcm_dilations)

    def _inverse_basis(self) -> torch.Tensor:
        """Compute the windowed inverse DFT [2F, 1, n_fft], as a kernel of a transposed convolution."""
        n, hop = self.config.n_fft, self.config.hop
        unit = np.eye(n // 2 + 1)
        rows = np.concatenate([np.fft.irfft(unit, n), np.fft.irfft(1j * unit, n)])
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
        window /= np.sum(window[::hop] ** 2)
        return torch.from_numpy((rows * window).astype(np.float32))[:, None]

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        """Encode [B, L] -> tokens [B, N, K]."""
        cfg = self.config
        audio = functional.pad(audio, (0, cfg.padded_samples(audio.shape[1]) - audio.shape[1]))
        spectrum = torch.stft(
            audio, cfg.n_fft, cfg.hop, window=self.window, pad_mode="constant", return_complex=True
        )
        x = torch.view_as_real(spectrum).permute(0, 3, 2, 1)
        level = x.square().sum(1, keepdim=True).sqrt()
        x = x * (level**cfg.power / level.clamp(min=_FLOOR))
        for layer in self.enc_list:
            x = layer(x)
        x = x.permute(0, 2, 1, 3).flatten(2)
        x = self._recur(self.gru_enc, self.h0_enc, _stack(self.tcm_list_enc, x))
        x = self.conv1x1_1(_as_image(x))[..., 0].transpose(1, 2)
        tokens = x.unflatten(1, (-1, cfg.frames_per_token)).split(cfg.latent // cfg.groups, dim=-1)
        pairs = zip(self.vq_layer_list, tokens, strict=True)
        return torch.stack([book.nearest(part.flatten(2)) for book, part in pairs], dim=-1)  # type: ignore[operator]

    def decode(self, tokens: torch.Tensor, samples: int, published: bool = False) -> torch.Tensor:
        """Decode [B, N, K] -> [B, samples].

        published: find codes as the public code does, multiplying all of them by a one-hot.
        """
        cfg = self.config
        look_up = _one_hot_sum if published else _indexed
        parts = [
            look_up(book.embedding[0], tokens[..., k])  # type: ignore[index]
            for k, book in enumerate(self.vq_layer_list)
        ]
        split = [part.unflatten(-1, (cfg.frames_per_token, -1)) for part in parts]
        x = torch.cat(split, dim=-1).flatten(1, 2)
        x = _stack(self.tcm_list1, self.conv1x1_2(_as_image(x))[..., 0].transpose(1, 2))
        x = _stack(self.tcm_list2, self._recur(self.gru, self.h0, x))
        x = x.unflatten(-1, (-1, _BINS)).permute(0, 2, 1, 3)
        for layer in self.dec_list:
            x = layer(x)
        x = self.out_conv(functional.pad(x, (2, 2, 1, 0)))
        level = (x.square().sum(1, keepdim=True) + _FLOOR).sqrt()
        x = x * (level ** (1.0 / cfg.power) / (level + _FLOOR))
        x = x.permute(0, 1, 3, 2).flatten(1, 2)
        x = functional.conv_transpose1d(x, self.basis, stride=cfg.hop)[:, 0]
        start = cfg.n_fft // 2
        return x[:, start : start + samples]

    def _recur(self, gru: nn.GRU, state: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return gru(x, state.expand(-1, x.shape[0], -1).contiguous())[0]


def _as_image(x: torch.Tensor) -> torch.Tensor:
    """Reshape [B, T, C] -> [B, C, T, 1]."""
    return x.transpose(1, 2)[..., None]


def _stack(layers: Sequence[nn.Module] | nn.ModuleList, x: torch.Tensor) -> torch.Tensor:
    """Apply TCMs to [B, T, C]."""
    x = _as_image(x)
    for layer in layers:
        x = layer(x)
    return x[..., 0].transpose(1, 2)


def _indexed(codes: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    return codes[tokens]


def _one_hot_sum(codes: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    hot = functional.one_hot(tokens.flatten(), len(codes)).to(codes.dtype)
    return (hot[..., None] * codes).sum(1).view(*tokens.shape, -1)
