"""Gated recurrent unit with PyTorch's gates, for importing public weights.

Legend: B batch, T frames, I input width, D state width.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.nn.initializers import Initializer


@jax.custom_vjp
def gru_scan(inputs: jax.Array, h0: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Compute the states [B, T, D] for projected inputs [B, T, 3D], starting from h0 [B, D].

    kernel [D, 3D] and bias [3D] are the recurrent ones, gates ordered reset, update, new:
    n = tanh(x_n + r * (W_n h + b_n)), h' = (1 - z) n + z h.

    The backward pass scans over the gates only and forms the kernel's gradient in one product over
    all frames (a fifth faster on CPU than differentiating the scan).
    """
    return _forward(inputs, h0, kernel, bias)[0]


def _gates(h: jax.Array, inputs: jax.Array, recurrent: jax.Array) -> tuple[jax.Array, ...]:
    """Return (next state, reset, update, new, recurrent part of new), each [B, D]."""
    xr, xz, xn = jnp.split(inputs, 3, axis=-1)
    hr, hz, hn = jnp.split(recurrent, 3, axis=-1)
    r, z = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(xz + hz)
    n = jnp.tanh(xn + r * hn)
    return n + z * (h - n), r, z, n, hn


def _forward(inputs: jax.Array, h0: jax.Array, kernel: jax.Array, bias: jax.Array) -> tuple:
    def body(h: jax.Array, x: jax.Array) -> tuple:
        out = _gates(h, x, h @ kernel + bias[None, :])
        return out[0], out

    outputs: tuple[jax.Array, ...]
    _, outputs = jax.lax.scan(body, h0, jnp.swapaxes(inputs, 0, 1), unroll=2)
    states, gates = outputs[0], outputs[1:]
    previous = jnp.concatenate([h0[None], states[:-1]])
    return jnp.swapaxes(states, 0, 1), (previous, *gates, kernel)


def _backward(saved: tuple, grad: jax.Array) -> tuple:
    previous, reset, update, new, recurrent, kernel = saved

    def body(carry: jax.Array, saved_step: tuple) -> tuple:
        dy, h, r, z, n, hn = saved_step
        dh = carry + dy
        dn = dh * (1.0 - z) * (1.0 - n * n)
        dz = dh * (h - n) * z * (1.0 - z)
        dr = dn * hn * r * (1.0 - r)
        d_recurrent = jnp.concatenate([dr, dz, dn * r], axis=-1)
        return dh * z + d_recurrent @ kernel.T, (d_recurrent, dn)

    steps = (jnp.swapaxes(grad, 0, 1), previous, reset, update, new, recurrent)
    zero = jnp.zeros_like(previous[0])
    gradients: tuple[jax.Array, jax.Array]
    dh0, gradients = jax.lax.scan(body, zero, steps, reverse=True, unroll=2)
    d_recurrent, dn = gradients
    width = kernel.shape[0]
    d_inputs = jnp.concatenate([d_recurrent[..., : 2 * width], dn], axis=-1)
    d_kernel = jnp.einsum("tbd,tbg->dg", previous, d_recurrent)
    return jnp.swapaxes(d_inputs, 0, 1), dh0, d_kernel, d_recurrent.sum(axis=(0, 1))


gru_scan.defvjp(_forward, _backward)


def _uniform() -> Initializer:
    """Return PyTorch's initialiser U(-1/sqrt(D), 1/sqrt(D)) for arrays whose last axis is 3D."""

    def init(
        key: jax.Array, shape: Any, dtype: Any = jnp.float32, out_sharding: Any = None
    ) -> jax.Array:
        limit = (shape[-1] // 3) ** -0.5
        return jax.random.uniform(key, shape, dtype, -limit, limit)

    return init


class GRU(nn.Module):
    """Apply one GRU layer with a learned initial state: [B, T, I] -> states [B, T, features].

    Also returns the last state [B, features], the ``past`` of the next chunk. Computes in float32.

    Parameters are PyTorch's, transposed: input_kernel = weight_ih.T [I, 3D], recurrent_kernel =
    weight_hh.T [D, 3D], input_bias and recurrent_bias [3D], gates ordered reset, update, new.
    """

    features: int

    @nn.compact
    def __call__(self, x: jax.Array, past: jax.Array | None = None) -> tuple[jax.Array, jax.Array]:
        width = self.features
        init = _uniform()
        input_kernel = self.param("input_kernel", init, (x.shape[-1], 3 * width))
        recurrent_kernel = self.param("recurrent_kernel", init, (width, 3 * width))
        input_bias = self.param("input_bias", init, (3 * width,))
        recurrent_bias = self.param("recurrent_bias", init, (3 * width,))
        h0 = self.param("initial_state", nn.initializers.zeros_init(), (width,))
        inputs = x.astype(jnp.float32) @ input_kernel + input_bias[None, None, :]
        start = jnp.broadcast_to(h0[None, :], (x.shape[0], width)) if past is None else past
        if x.shape[1] == 0:
            return inputs[..., :width], start
        states = gru_scan(inputs, start, recurrent_kernel, recurrent_bias)
        return states, states[:, -1]
