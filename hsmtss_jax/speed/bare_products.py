"""Time only the matrix products of a decoding step: the upper bound for the same weights.

Legend: D width, N batch, L layers.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from hsmtss_jax.models.acoustic_decoder.weights import DecodeWeights, Linear, product


def bare_loop(steps: int) -> Callable[[DecodeWeights, jax.Array], jax.Array]:
    """Return ``steps`` repetitions of the products of every layer and of the heads on x [D, N].

    No attention, norms, biases, non-linearities, embedding or sampling. Each product depends on the one
    before, as in the step, and no output is unused, so that no work is optimised away.
    """

    def loop(weights: DecodeWeights, first: jax.Array) -> jax.Array:
        def multiply(linear: Linear, x: jax.Array) -> jax.Array:
            return product(linear.weight, x, weights.form)

        def step(x: jax.Array, _: None) -> tuple[jax.Array, None]:
            for w in weights.layers:
                query, key, value = jnp.split(multiply(w.qkv, x), 3)
                x = x + multiply(w.out, query + key + value)
                x = x + multiply(w.down, multiply(w.up, x))
            peak = multiply(weights.heads, x).max(axis=0, keepdims=True)
            return first + 1e-6 * peak.astype(first.dtype), None

        return jax.lax.scan(step, first, None, length=steps)[0]

    return loop


def stacked_loop(steps: int) -> Callable[[Any, jax.Array], jax.Array]:
    """Return the same with an inner scan over layers stacked on axis 0 (see ``stack_layers``)."""

    def loop(weights: Any, first: jax.Array) -> jax.Array:
        layers, heads = weights

        def layer(x: jax.Array, w: Any) -> tuple[jax.Array, None]:
            qkv, out, up, down = w
            query, key, value = jnp.split(qkv @ x, 3)
            x = x + out @ (query + key + value)
            return x + down @ (up @ x), None

        def step(x: jax.Array, _: None) -> tuple[jax.Array, None]:
            x = jax.lax.scan(layer, x, layers)[0]
            return first + 1e-6 * (heads @ x).max(axis=0, keepdims=True).astype(first.dtype), None

        return jax.lax.scan(step, first, None, length=steps)[0]

    return loop


def stack_layers(weights: DecodeWeights) -> Any:
    """Stack (qkv, out, up, down) over layers, and the heads, for weights of the form ``batch_last``."""
    rows = [(w.qkv.weight, w.out.weight, w.up.weight, w.down.weight) for w in weights.layers]
    return tuple(jnp.stack(part) for part in zip(*rows, strict=True)), weights.heads.weight


def step_bytes(weights: DecodeWeights) -> int:
    """Count the bytes of weights that a step reads: all but the conditioner and the embedding."""
    leaves = jax.tree.leaves((weights.layers, weights.norm, weights.heads))
    return sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)
