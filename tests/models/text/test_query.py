"""Queries of mask separators: both encoders, by their bundles' stages."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.conversion import to_dict
from hsmtss_jax.models.text import encoder as text_encoder
from hsmtss_jax.models.text.clap import ClapTextConfig
from hsmtss_jax.models.text.query import make_query_encoder

CONFIGS = {
    "text_encoder": text_encoder.tiny(),
    "clap_text": ClapTextConfig(encoder=text_encoder.tiny(), embedding=6),
}
WIDTHS = {"text_encoder": 16, "clap_text": 6}


@pytest.mark.parametrize("stage", CONFIGS)
def test_a_query_is_a_unit_vector_of_the_tokens(stage):
    config = CONFIGS[stage]
    encoder = make_query_encoder(stage, {"model": to_dict(config)})
    ids = jax.random.randint(jax.random.key(1), (2, 5), 1, 64)
    mask = jnp.arange(5)[None] < jnp.array([[5], [2]])
    params = jax.jit(config.make().init)(jax.random.key(0), ids, mask)["params"]
    encode = jax.jit(lambda ids: encoder(params, ids, mask, jnp.float32))
    out = encode(ids)
    assert out.shape == (2, WIDTHS[stage]) and encoder.max_tokens == 32
    np.testing.assert_allclose(jnp.linalg.norm(out, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(encode(jnp.where(mask, ids, 7)), out, atol=1e-6)


def test_other_stages_encode_none():
    with pytest.raises(ValueError, match="a bundle of gpt2 encodes no queries"):
        make_query_encoder("gpt2", {})
