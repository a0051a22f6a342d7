"""Group quantiser: nearest codes, Gumbel samples, gradients, round trip."""

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.nn.quantize import (
    GroupQuantizer,
    code_logits,
    first_largest,
    gumbel_one_hot,
    nearest_codes,
    sampled_codes,
)
from hsmtss_jax.testing.jitted import Jitted

QUANTIZER = GroupQuantizer(groups=3, codes=7, width=4)


def _quantizer() -> tuple[Jitted, dict, jax.Array]:
    model = Jitted(QUANTIZER)
    x = jax.random.normal(jax.random.key(0), (2, 5, 3, 4))
    return model, model.init(jax.random.key(1), x), x


def test_evaluation_takes_the_nearest_code():
    model, variables, x = _quantizer()
    out = model.apply(variables, x)
    codebook = np.asarray(variables["params"]["codebook"])
    distance = ((np.asarray(x)[:, :, :, None] - codebook[None, None]) ** 2).sum(-1)
    np.testing.assert_array_equal(out.tokens, distance.argmin(-1))
    np.testing.assert_allclose(
        code_logits(x, jnp.asarray(codebook), 5.0), -5.0 * distance, atol=1e-3
    )
    np.testing.assert_allclose(out.usage.sum(-1), 1.0, atol=1e-5)


def test_the_first_of_equal_maxima_counts_and_nan_stays_in_range():
    x = jnp.asarray([[1.0, 3.0, 3.0], [2.0, -1.0, 0.0], [jnp.nan, 1.0, 2.0]])
    np.testing.assert_array_equal(first_largest(x), [1, 0, 2])
    noise = jax.random.normal(jax.random.key(0), (50, 33))
    np.testing.assert_array_equal(first_largest(noise), jnp.argmax(noise, axis=-1))


def test_groups_in_turn_are_the_groups_at_once():
    _, variables, x = _quantizer()
    codebook = variables["params"]["codebook"]
    logits = code_logits(x, codebook, 5.0)
    out = jax.jit(nearest_codes)(x, codebook, 5.0)
    np.testing.assert_array_equal(out.tokens, jnp.argmax(logits, axis=-1))
    together = jnp.mean(jax.nn.softmax(logits, axis=-1), axis=(0, 1))
    np.testing.assert_allclose(out.usage, together, atol=1e-6)


def test_each_group_draws_numbers_of_its_own():
    """Equal vectors and codes in all groups: only the noise differs."""
    codebook = jnp.zeros((3, 7, 4))
    out = jax.jit(sampled_codes)(jax.random.key(0), jnp.zeros((1, 50, 3, 4)), codebook, 5.0, 1.0)
    first, second, third = np.moveaxis(np.asarray(out.tokens), 2, 0)
    assert (first != second).any() and (second != third).any()
    assert set(first.ravel().tolist()) == set(range(7))


def test_tokens_decode_to_the_values():
    model, variables, x = _quantizer()
    out = model.apply(variables, x)
    values = model.apply(variables, out.tokens, method="decode")
    np.testing.assert_array_equal(values, out.values)
    again = model.apply(variables, values)  # a code is its own nearest code
    np.testing.assert_array_equal(again.tokens, out.tokens)


def test_sampled_values_are_codes_and_gradients_reach_input_and_codebook():
    model, variables, x = _quantizer()
    key = jax.random.key(2)

    def loss(params, x):
        out = model.apply({"params": params}, x, key=key, tau=2.0)
        return jnp.sum(jnp.sin(out.values)), out

    pull = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))
    (_, out), grads = pull(variables["params"], x)
    decoded = model.apply(variables, out.tokens, method="decode")
    np.testing.assert_allclose(out.values, decoded, atol=1e-5)
    assert min(float(jnp.abs(g).max()) for g in jax.tree.leaves(grads)) > 1e-4


def test_straight_through_adds_the_gradient_of_the_values():
    _, variables, x = _quantizer()

    def total(model, x):
        return jnp.sum(model.apply(variables, x, key=jax.random.key(2), tau=2.0).values)

    gradient = jax.jit(jax.grad(total, argnums=1), static_argnums=0)
    relaxed, both = gradient(QUANTIZER, x), gradient(QUANTIZER.clone(straight_through=True), x)
    np.testing.assert_allclose(both, relaxed + 1.0, atol=1e-5)


def test_gumbel_frequencies_are_the_softmax():
    logits = jnp.log(jnp.asarray([0.5, 0.3, 0.2]))
    samples = jax.jit(gumbel_one_hot)(jax.random.key(0), jnp.tile(logits[None], (20_000, 1)), 0.7)
    np.testing.assert_allclose(samples.mean(axis=0), [0.5, 0.3, 0.2], atol=0.02)
    np.testing.assert_allclose(samples.max(axis=-1), 1.0, atol=1e-5)
