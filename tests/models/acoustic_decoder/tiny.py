"""The acoustic decoder at its tiny size, in every form of conditioning."""

import dataclasses
import functools

import jax
import jax.numpy as jnp

from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
from hsmtss_jax.models.acoustic_decoder.step import decode_step, prefill
from hsmtss_jax.models.acoustic_decoder.weights import prepare_decode

CONDITIONS = ("prefix", "aligned", "columns", "cross")
TINY = AcousticDecoderConfig(
    width=32, depth=2, heads=4, groups=3, codes=11, audio_width=20, time_patches=3, freq_patches=2
)
FRAMES = 9


@functools.cache
def setup(condition: str, batch: int = 2):
    """(config, params, patches, tokens, forward), with weights large enough to tell frames apart."""
    config = dataclasses.replace(TINY, condition=condition)
    module = config.make()
    patches = jax.random.normal(jax.random.key(1), (batch, config.patches, config.audio_width))
    tokens = jax.random.randint(
        jax.random.key(2), (batch, FRAMES, config.groups), 0, config.codes, jnp.int32
    )
    params = jax.jit(lambda key: jax.tree.map(lambda x: 6 * x, module.init(key, patches, tokens)))(
        jax.random.key(0)
    )["params"]
    everything = jnp.ones((batch, config.patches), bool)

    @jax.jit
    def forward(patches, tokens, prefix_mask=everything):
        return module.apply({"params": params}, patches, tokens, prefix_mask=prefix_mask)

    return config, params, patches, tokens, forward


@functools.partial(jax.jit, static_argnums=(0, 5, 6))
def stepwise(config, params, patches, tokens, prefix_mask, form=None, attention=None):
    """Logits [B, T + 1, K, V + 1], one frame at a time."""
    weights = prepare_decode(config, params, form=form, attention=attention)
    cache = prefill(config, weights, patches, FRAMES + 1, prefix_mask)
    inputs = jnp.pad(tokens, ((0, 0), (1, 0), (0, 0)), constant_values=config.start)

    def step(cache, previous):
        logits, cache = decode_step(config, weights, previous, cache)
        return cache, logits

    _, logits = jax.lax.scan(step, cache, inputs.swapaxes(0, 1))
    return logits.swapaxes(0, 1)
