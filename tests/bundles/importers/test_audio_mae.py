"""Importer of public AudioMAE encoders: names, layouts, the position table, errors."""

import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.importers.audio_mae import audio_mae_config, import_audio_mae
from tests.bundles.importers.synthetic import DEPTH, HEADS, TOKENS, WIDTH, audio_mae_state

STATE = audio_mae_state()
CONFIG = audio_mae_config(STATE, HEADS)
PARAMS = import_audio_mae(CONFIG, STATE)


def test_config_is_read_from_the_shapes():
    assert (CONFIG.frames, CONFIG.n_mels, CONFIG.patch, CONFIG.width) == (64, 128, 16, WIDTH)
    assert (CONFIG.depth, CONFIG.heads, CONFIG.patches) == (DEPTH, HEADS, TOKENS)
    assert CONFIG.cls_token and CONFIG.position_table


def test_config_of_the_published_shapes():
    """ViT-B on ten seconds."""
    shapes = {
        "cls_token": (1, 1, 768),
        "pos_embed": (1, 513, 768),
        "patch_embed.proj.weight": (768, 1, 16, 16),
        "blocks.11.norm1.weight": (768,),
    }
    config = audio_mae_config({k: np.broadcast_to(np.float32(0), s) for k, s in shapes.items()})
    assert (config.frames, config.depth, config.heads, config.patches) == (1024, 12, 12, 512)


def test_import_fits_the_encoder():
    x = jnp.ones((1, 64, 128))
    s = CONFIG.make().apply({"params": PARAMS}, x, method="encode")
    assert s.shape == (1, TOKENS, WIDTH) and bool(jnp.all(jnp.isfinite(s)))


def test_values_go_where_they_belong():
    encoder = PARAMS["encoder"]
    np.testing.assert_array_equal(encoder["pos"], STATE["pos_embed"])
    patch = STATE["patch_embed.proj.weight"]  # pixel (time 2, frequency 5) is row 16 * 2 + 5
    np.testing.assert_array_equal(encoder["patch_embed"]["kernel"][37], patch[:, 0, 2, 5])
    attention = encoder["transformer"]["blocks"]["attention"]
    qkv, bias = STATE["blocks.1.attn.qkv.weight"], STATE["blocks.1.attn.qkv.bias"]
    for third, name in enumerate(("query", "key", "value")):
        rows = slice(third * WIDTH, (third + 1) * WIDTH)
        np.testing.assert_array_equal(attention[name]["kernel"][1], qkv[rows].T)
        np.testing.assert_array_equal(attention[name]["bias"][1], bias[rows])


def test_decoder_classifier_and_prefixes_are_left_out():
    state = audio_mae_state(decoder=True) | {"head.weight": np.zeros((3, WIDTH))}
    state = {f"module.encoder.{name}": value for name, value in state.items()}
    assert audio_mae_config(state, HEADS) == CONFIG
    assert set(import_audio_mae(CONFIG, state)["encoder"]) == set(PARAMS["encoder"])


def test_missing_and_unexpected_tensors_are_named():
    without = {k: v for k, v in STATE.items() if k != "blocks.1.mlp.fc2.bias"}
    with pytest.raises(
        ValueError, match=r"missing blocks\.1\.mlp\.fc2\.bias: .* download it again"
    ):
        import_audio_mae(CONFIG, without)
    with pytest.raises(ValueError, match=r"unexpected blocks\.0\.ls1\.gamma"):
        import_audio_mae(CONFIG, STATE | {"blocks.0.ls1.gamma": np.zeros(WIDTH)})
    with pytest.raises(ValueError, match=r"and \d+ more"):
        import_audio_mae(CONFIG, {k: v for k, v in STATE.items() if not k.startswith("blocks.1")})
    with pytest.raises(ValueError, match="no AudioMAE"):
        audio_mae_config({"weight": np.zeros(1)})


@pytest.mark.parametrize("shape", [(4 * WIDTH, WIDTH), (3 * WIDTH + 1, WIDTH), (3 * WIDTH,)])
def test_a_wrong_shape_is_named(shape):
    state = STATE | {"blocks.0.attn.qkv.weight": np.zeros(shape, np.float32)}
    with pytest.raises(ValueError, match=r"blocks\.0\.attn\.qkv\.weight has shape"):
        import_audio_mae(CONFIG, state)


@pytest.mark.parametrize(
    ("value", "error"), [(np.int8(3), "holds int8 values"), (np.float16(np.nan), "holds NaN")]
)
def test_values_that_are_no_weights(value, error):
    state = STATE | {"blocks.1.attn.proj.bias": np.full(WIDTH, value)}
    with pytest.raises(ValueError, match=rf"blocks\.1\.attn\.proj\.bias {error}"):
        import_audio_mae(CONFIG, state)


@pytest.mark.parametrize(
    ("name", "shape", "error"),
    [
        ("patch_embed.proj.weight", (WIDTH, 3, 16, 16), "width, 1, patch, patch"),
        ("pos_embed", (1, TOKENS, WIDTH), "do not fill 8 bands"),
    ],
)
def test_another_kind_of_network(name, shape, error):
    with pytest.raises(ValueError, match=error):
        audio_mae_config(STATE | {name: np.zeros(shape, np.float32)}, HEADS)


def test_heads_that_the_width_does_not_tell():
    with pytest.raises(ValueError, match="give --heads"):
        audio_mae_config(STATE)


def test_fine_tuned_with_mean_pooling():
    state = {k.replace("norm.", "fc_norm.") if k[:5] == "norm." else k: v for k, v in STATE.items()}
    with pytest.raises(ValueError, match="fc_norm in place of norm"):
        import_audio_mae(CONFIG, state)
