"""A whole system at its tiny size, with random weights: two rows of noise and what is asked of them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.bundles.networks import read_networks
from hsmtss_jax.models.hsm_tss import Networks, Query, encode_query
from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.testing.bundles import tiny_upstream

SHARED = ("text_encoder", "audio_mae", "q_audio", "tf_codec", "acoustic_decoder")
SAMPLES = 40_960
IDS = np.array([[2, 10, 11, 12, 3, 0], [2, 20, 3, 0, 0, 0]], np.int32)
MASK = IDS > 0
TASK = np.array([0, 1], np.int32)


@functools.cache
def system(separator: str = "joint_separator") -> tuple[Networks, dict]:
    """(networks, their parameters by role), with one separator or the other."""
    bundles = tiny_upstream((*SHARED, separator))
    params = {role: jax.device_put(bundle.params) for role, bundle in bundles.items()}
    return read_networks(bundles), params


@functools.cache
def semantics() -> Semantics:
    """S and G of two rows of noise, the second only half as long."""
    networks, params = system()
    noise = 0.1 * np.random.default_rng(0).normal(size=(2, SAMPLES)).astype(np.float32)
    noise[1, SAMPLES // 2 :] = 0
    return jax.jit(networks.encoders.encode)(params, noise)


@functools.cache
def query(separator: str = "joint_separator") -> Query:
    """What is asked of the two rows: to extract, and to remove."""
    networks, params = system(separator)
    encode = jax.jit(functools.partial(encode_query, networks))
    return encode(params, jnp.asarray(IDS), jnp.asarray(MASK), jnp.asarray(TASK))
