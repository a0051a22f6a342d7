"""Convolutions over time and frequency, causal in time, without bias.

A strided convolution along frequency and its transpose are each other's gradient, so both are built
from the same three products. XLA's own input gradient of a strided convolution dilates the input
with zeros and multiplies them (4 times slower on CPU); here it is one stride-1 convolution that
writes a whole stride of bins as channels.

Whole signals and streams run the same code: ``past`` holds the frames before the first one of x (None:
zeros), and a layer returns the past of the next chunk.

Legend: B batch, T frames, F fine bins, G coarse bins (G = (F + 2 padding - W) // stride + 1),
H kernel frames, W kernel bins, I and O channels.
"""

import dataclasses
import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from einops import rearrange

_LAYOUT = ("NHWC", "HWIO", "NHWC")
xavier = nn.initializers.xavier_normal()


@dataclasses.dataclass(frozen=True)
class _Geometry:
    """Hold the geometry of a convolution.

    stride, padding: along frequency. frames: zero frames before and after. fine: F.
    """

    stride: int
    padding: int
    frames: tuple[int, int]
    fine: int


def latest(x: jax.Array, frames: int, past: jax.Array | None = None) -> jax.Array:
    """Return the last ``frames`` of ``past`` (None: zeros) and x [B, T, ...] -> [B, frames, ...]."""
    if x.shape[1] < frames:
        x = _after(past, x, frames)
    return x[:, x.shape[1] - frames :]


def _after(past: jax.Array | None, x: jax.Array, frames: int) -> jax.Array:
    """Concatenate the ``frames`` of ``past`` (None: zeros) and x [B, T, ...] along time."""
    if past is None:
        return jnp.pad(x, ((0, 0), (frames, 0), *((0, 0) for _ in x.shape[2:])))
    return jnp.concatenate([past, x], axis=1)


def causal_conv(
    x: jax.Array,
    kernel: jax.Array,
    *,
    stride: int = 1,
    padding: int = 0,
    past: jax.Array | None = None,
) -> jax.Array:
    """Convolve [B, T, F, I] * [H, W, I, O] -> [B, T, G, O], causal in time.

    Frame t reads frames t - H + 1 to t (the last tap).

    Args:
      x: input [B, T, F, I].
      kernel: [H, W, I, O].
      stride: along frequency.
      padding: zeros added at both ends of the frequency axis.
      past: the frames before x [B, H - 1, F, I]; None: zeros.
    """
    before = kernel.shape[0] - 1
    if past is not None:
        x, before = _after(past, x, before), 0
    if stride == 1:
        return _blocked_conv(x, kernel, padding, before)
    return _conv(x, kernel, _Geometry(stride, padding, (before, 0), x.shape[2]))


def _blocked_conv(
    x: jax.Array, kernel: jax.Array, padding: int, before: int, block: int = 4
) -> jax.Array:
    """Compute a stride-1 ``causal_conv`` after ``before`` zero frames, with blocks of bins as channels.

    These layers have 2 to 16 channels, too few to fill a vector register or a matrix unit: with four
    bins to a block, a pass forward and backward takes 20 to 70 percent of the time on CPU.
    """
    wide = kernel.shape[1]
    bins = x.shape[2] + 2 * padding - wide + 1
    blocks, taps = -(-bins // block), -(-(block + wide - 1) // block)
    total = (blocks + taps - 1) * block
    x = jnp.pad(x, ((0, 0), (0, 0), (padding, max(0, total - x.shape[2] - padding)), (0, 0)))
    x = rearrange(x[:, :, :total], "b t (g a) i -> b t g (a i)", a=block)
    # places[a, n, w] = 1 where input bin a is under tap w of output bin n
    offsets = np.arange(taps * block)[:, None] - np.arange(block)[None, :]
    places = (offsets[:, :, None] == np.arange(wide)[None, None, :]).astype(kernel.dtype)
    banded = jnp.einsum("anw,hwio->haino", places, kernel, precision=jax.lax.Precision.HIGHEST)
    banded = rearrange(banded, "h (m a) i n o -> h m (a i) (n o)", m=taps)
    pads = ((before, 0), (0, 0))
    y = jax.lax.conv_general_dilated(x, banded, (1, 1), pads, dimension_numbers=_LAYOUT)
    return rearrange(y, "b t g (n o) -> b t (g n) o", n=block)[:, :, :bins]


def causal_deconv(
    x: jax.Array,
    kernel: jax.Array,
    *,
    stride: int = 1,
    cropping: int = 0,
    past: jax.Array | None = None,
) -> jax.Array:
    """Apply the transposed convolution [B, T, G, I] * [H, W, I, O] -> [B, T, F, O].

    F = (G - 1) stride + W - 2 cropping. Frame t writes to frames t (first tap) to t + H - 1; frames after
    the end are dropped.

    Args:
      x: input [B, T, G, I].
      kernel: [H, W, I, O].
      stride: along frequency.
      cropping: bins dropped at both ends of the frequency axis.
      past: the frames before x [B, H - 1, G, I], which write to those of x; None: zeros.
    """
    reach = kernel.shape[0] - 1
    before = 0
    if past is not None:
        x, before = _after(past, x, reach), reach
    fine = (x.shape[2] - 1) * stride + kernel.shape[1] - 2 * cropping
    geometry = _Geometry(stride, cropping, (before, reach), fine)
    return _spread(x, jnp.swapaxes(kernel, 2, 3), geometry)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _conv(x: jax.Array, kernel: jax.Array, geometry: _Geometry) -> jax.Array:
    """Convolve fine [B, T, F, I] -> coarse [B, T, G, O]."""
    return _product(x, kernel, geometry)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _spread(y: jax.Array, kernel: jax.Array, geometry: _Geometry) -> jax.Array:
    """Apply the adjoint of ``_conv`` in x: coarse [B, T, G, O] -> fine [B, T, F, I]."""
    return _adjoint(y, kernel, geometry)


def _conv_backward(geometry: _Geometry, saved: tuple, grad: jax.Array) -> tuple:
    x, kernel = saved
    return _adjoint(grad, kernel, geometry), _kernel_grad(x, grad, kernel, geometry)


def _spread_backward(geometry: _Geometry, saved: tuple, grad: jax.Array) -> tuple:
    y, kernel = saved
    return _product(grad, kernel, geometry), _kernel_grad(grad, y, kernel, geometry)


_conv.defvjp(lambda x, k, g: (_product(x, k, g), (x, k)), _conv_backward)
_spread.defvjp(lambda y, k, g: (_adjoint(y, k, g), (y, k)), _spread_backward)


def _product(x: jax.Array, kernel: jax.Array, geometry: _Geometry) -> jax.Array:
    pads = (geometry.frames, (geometry.padding, geometry.padding))
    return jax.lax.conv_general_dilated(
        x, kernel, (1, geometry.stride), pads, dimension_numbers=_LAYOUT
    )


def _kernel_grad(
    x: jax.Array, grad: jax.Array, kernel: jax.Array, geometry: _Geometry
) -> jax.Array:
    """Compute the gradient [H, W, I, O] of ``_product`` at x [B, T, F, I] for grad [B, T, G, O]."""
    (result,) = jax.linear_transpose(lambda k: _product(x, k, geometry), kernel)(grad)
    return result


def _adjoint(y: jax.Array, kernel: jax.Array, geometry: _Geometry) -> jax.Array:
    """Write W fine bins for every coarse bin, as a stride-1 convolution with channels [stride, I]."""
    high, wide, inputs, outputs = kernel.shape
    stride, offset = geometry.stride, geometry.padding
    taps = -(-wide // stride)
    padded = jnp.pad(kernel, ((0, 0), (0, taps * stride - wide), (0, 0), (0, 0)))
    phases = padded.reshape(high, taps, stride, inputs, outputs)[::-1, ::-1]
    phases = phases.transpose(0, 1, 4, 2, 3).reshape(high, taps, outputs, stride * inputs)
    # `frames` zeros before and after in the forward pass are H - 1 minus as many in its adjoint.
    before, after = geometry.frames
    pads = ((high - 1 - before, high - 1 - after), (taps - 1, taps - 1))
    fine = jax.lax.conv_general_dilated(y, phases, (1, 1), pads, dimension_numbers=_LAYOUT)
    fine = fine.reshape(*fine.shape[:2], fine.shape[2] * stride, inputs)
    missing = max(0, offset + geometry.fine - fine.shape[2])
    fine = jnp.pad(fine, ((0, 0), (0, 0), (0, missing), (0, 0)))
    return fine[:, :, offset : offset + geometry.fine]


def depthwise_conv(
    x: jax.Array, kernel: jax.Array, dilation: int = 1, past: jax.Array | None = None
) -> jax.Array:
    """Convolve [B, T, C] * [H, 1, C] -> [B, T, C] channel by channel, causal in time.

    Frame t reads frames t - (H - 1) dilation, ..., t. past: [B, (H - 1) dilation, C].
    """
    taps = kernel.shape[0]
    padded = _after(past, x, (taps - 1) * dilation)
    frames = x.shape[1]
    shifted = [padded[:, j * dilation : j * dilation + frames] for j in range(taps)]
    return functools.reduce(jnp.add, (part * kernel[j][None] for j, part in enumerate(shifted)))


class PReLU(nn.Module):
    """Compute max(x, 0) + slope * min(x, 0) with one learned slope."""

    initial: float = 0.5

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        slope = self.param("slope", nn.initializers.constant(self.initial), (), jnp.float32)
        return jnp.where(x >= 0, x, slope.astype(x.dtype) * x)


class NormAct(nn.Module):
    """Apply batch normalisation over all axes but the last (statistics of the global batch), then PReLU."""

    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        norm = nn.BatchNorm(
            use_running_average=not train,
            momentum=0.9,
            epsilon=1e-3,
            dtype=self.dtype,
            name="norm",
        )
        return PReLU(name="act")(norm(x))


class ConvLayer(nn.Module):
    """Apply a causal convolution (2, 5), BatchNorm and PReLU: [B, T, F, I] -> [B, T, G, features].

    Also returns the past of the next chunk: the last frame of the input [B, 1, F, I].
    """

    features: int
    stride: int
    padding: int
    transpose: bool = False  # a transposed convolution that crops ``padding`` bins instead
    size: tuple[int, int] = (2, 5)
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: jax.Array, *, train: bool, past: jax.Array | None = None
    ) -> tuple[jax.Array, jax.Array]:
        shape = (*self.size, x.shape[-1], self.features)
        kernel = self.param("kernel", xavier, shape, jnp.float32).astype(self.dtype)
        x = x.astype(self.dtype)
        if self.transpose:
            y = causal_deconv(x, kernel, stride=self.stride, cropping=self.padding, past=past)
        else:
            y = causal_conv(x, kernel, stride=self.stride, padding=self.padding, past=past)
        y = NormAct(dtype=self.dtype, name="post")(y, train=train)
        return y, latest(x, self.size[0] - 1, past)


class TCMLayer(nn.Module):
    """Apply a temporal convolution module: x + W2 act(depthwise(act(W1 x))) on [B, T, C].

    hidden: inner width. The depthwise kernel reaches ``4 * dilation`` frames into the past
    [B, 4 * dilation, hidden], which is returned for the next chunk.
    """

    hidden: int
    dilation: int
    taps: int = 5
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: jax.Array, *, train: bool, past: jax.Array | None = None
    ) -> tuple[jax.Array, jax.Array]:
        def linear(features: int, name: str) -> nn.Dense:
            return nn.Dense(
                features, use_bias=False, kernel_init=xavier, dtype=self.dtype, name=name
            )

        h = NormAct(dtype=self.dtype, name="expand_post")(
            linear(self.hidden, "expand")(x), train=train
        )
        shape = (self.taps, 1, self.hidden)
        kernel = self.param("depthwise_kernel", xavier, shape, jnp.float32)
        kept = latest(h, (self.taps - 1) * self.dilation, past)
        h = depthwise_conv(h, kernel.astype(self.dtype), self.dilation, past)
        h = NormAct(dtype=self.dtype, name="depthwise_post")(h, train=train)
        return x + linear(x.shape[-1], "reduce")(h), kept
