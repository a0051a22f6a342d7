"""Programs traced for another platform: attention takes the form of that one."""

import jax
import jax.numpy as jnp
import pytest

from hsmtss_jax.nn.attention import dot_product_attention
from hsmtss_jax.nn.platform import platform, tracing_for


def test_the_platform_is_jax_s_own_where_nothing_was_said():
    assert platform() == jax.default_backend() == "cpu"
    with pytest.raises(KeyError), tracing_for("tpu"):
        assert platform() == "tpu"
        raise KeyError
    assert platform() == "cpu"


def test_attention_loops_over_heads_on_a_cpu_alone():
    x = jnp.zeros((1, 1024, 4, 8))

    def traced():
        return str(jax.make_jaxpr(lambda q: dot_product_attention(q, q, q))(x))

    assert "scan" in traced()
    with tracing_for("tpu"):
        assert "scan" not in traced()
