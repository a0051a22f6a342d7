"""Importer of public TF-Codec checkpoints: names, layouts, and outputs kept from the public code."""

from pathlib import Path

import jax
import numpy as np
import pytest
from einops import rearrange
from flax.traverse_util import flatten_dict
from safetensors.numpy import save_file

from hsmtss_jax.bundles.bundle import load_bundle
from hsmtss_jax.bundles.importers.tf_codec import import_tf_codec, tf_codec_config
from hsmtss_jax.cli import main
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.models.tf_codec.model import TFCodecConfig
from hsmtss_jax.stages.tf_codec import TFCodecStageConfig
from tests.bundles.importers.tf_codec_state import TINY, tf_codec_shapes, tf_codec_state

STATE = tf_codec_state(**TINY)
CONFIG = tf_codec_config(STATE)
GOLDEN = Path(__file__).with_name("tf_codec_golden.npz")


def test_the_public_shapes_are_the_paper_s_model():
    state = {name: np.broadcast_to(np.float32(0), s) for name, s in tf_codec_shapes().items()}
    assert tf_codec_config(state) == TFCodecConfig()
    trained = [name for name in state if "running" not in name]
    assert sum(state[name].size for name in trained) == 7_628_428


def test_config_is_read_from_the_shapes():
    assert CONFIG.channels == (4, 8, 8, 8) and CONFIG.tcm_dilations == (1, 2, 4, 8)
    assert (CONFIG.tcm_hidden, CONFIG.latent, CONFIG.groups, CONFIG.codes) == (16, 32, 4, 16)


def test_values_go_where_they_belong():
    variables = import_tf_codec(CONFIG, STATE)
    flat = flatten_dict(variables, sep="/")
    assert sum(value.size for value in flat.values()) == sum(value.size for value in STATE.values())
    conv = STATE["enc_list.1.conv.weight"]
    np.testing.assert_array_equal(flat["params/encoder/conv1/kernel"][1, 3, 2, 5], conv[5, 2, 1, 3])
    deconv = STATE["dec_list.1.deconv.weight"]
    kernel = flat["params/decoder/conv1/kernel"]
    np.testing.assert_array_equal(kernel[1, 3, 2, 5], deconv[2, 5, 1, 3])
    depthwise = STATE["tcm_list2.3.conv_depthwise.weight"]
    kernel = flat["params/decoder/after3/depthwise_kernel"]
    np.testing.assert_array_equal(kernel[4, 0, 7], depthwise[7, 0, 4, 0])
    np.testing.assert_array_equal(
        flat["batch_stats/decoder/before2/expand_post/norm/var"],
        STATE["tcm_list1.2.bn_first.running_var"],
    )
    code = flat["params/quantizer/codebook"][2, 9]
    np.testing.assert_array_equal(code, STATE["vq_layer_list.2.embedding"][0, 9])


def test_the_command_writes_a_bundle_of_the_stage(tmp_path):
    extra = {
        "freq2time.istft.inverse_basis": np.zeros((322, 1, 320), np.float32),
        "enc_list.0.bn_conv.num_batches_tracked": np.asarray(7),
    }
    state = {f"gen.module.{name}": value for name, value in (STATE | extra).items()}
    save_file(state | {"disc_freq.conv.weight": np.zeros(3)}, tmp_path / "codec.safetensors")
    argv = ["import", "tf_codec", str(tmp_path / "codec.safetensors"), "-o", str(tmp_path / "out")]
    assert main.main([*argv, "--licence", "MIT"]) == 0
    bundle = load_bundle(tmp_path / "out")
    assert bundle.stage == "tf_codec" and bundle.meta["licence"] == "MIT"
    assert from_dict(TFCodecStageConfig, bundle.config).model == CONFIG
    slope = bundle.params["params"]["encoder"]["conv0"]["post"]["act"]["slope"]
    assert slope == STATE["enc_list.0.nonlinearity.weight"][0]


def test_heads_are_refused(tmp_path, capsys):
    save_file(STATE, tmp_path / "codec.safetensors")
    argv = ["import", "tf_codec", str(tmp_path / "codec.safetensors"), "-o", str(tmp_path / "out")]
    assert main.main([*argv, "--heads", "2"]) == 2
    assert "TF-Codec has no attention heads" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"gru.weight_hh_l0": None}, r"missing gru\.weight_hh_l0"),
        ({"tcm_list1.0.extra": np.zeros(3)}, r"unexpected tcm_list1\.0\.extra"),
        ({"h0": np.zeros((1, 1, 7))}, r"h0 has shape \(1, 1, 7\) and cannot become"),
        ({"out_conv.weight": np.zeros((2, 2, 5))}, r"out_conv\.weight has shape \(2, 2, 5\)"),
        ({"conv1x1_1.weight": None}, "it is no TF-Codec"),
        ({"conv1x1_1.weight": np.zeros(3)}, "has 4 axes"),
        ({"power_cprs": np.zeros(1)}, "learnt compression"),
        ({"vq_layer_list.6.embedding": np.zeros((1, 16, 32))}, "does not divide into 7 groups"),
    ],
)
def test_what_does_not_fit_is_named(change, error):
    state = {name: value for name, value in (STATE | change).items() if value is not None}
    with pytest.raises(ValueError, match=error):
        import_tf_codec(tf_codec_config(state), state)


def test_outputs_are_those_of_the_public_code():
    """Latent (every 16th channel), tokens and waveform (every 8th sample) that microsoft/TF-Codec
    gave for these weights and this audio."""
    golden = np.load(GOLDEN)
    state = tf_codec_state()
    config = tf_codec_config(state)
    noise = 0.1 * np.random.RandomState(1).normal(size=(2, 1_520)).astype(np.float32)
    time = np.arange(1_520)
    tone = 0.3 * np.sin(2 * np.pi * 440 * time / 16_000) * (time > 300)
    audio = np.stack([noise[0], tone + 0.05 * noise[1]]).astype(np.float32)
    out = jax.jit(config.make().apply)(import_tf_codec(config, state), audio)
    latent = rearrange(out.latent, "b n k (m d) -> b (n m) (k d)", m=4)
    np.testing.assert_allclose(latent[..., ::16], golden["latent"], atol=2e-5)
    np.testing.assert_array_equal(out.quantized.tokens, golden["tokens"])
    np.testing.assert_allclose(out.audio[:, ::8], golden["wave"], atol=2e-5)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_a_pytorch_file_of_a_training_run(tmp_path):
    torch = pytest.importorskip("torch")
    tensors = {f"module.{name}": torch.from_numpy(value) for name, value in STATE.items()}
    run = {"gen": tensors, "disc_freq": {"weight": torch.zeros(2)}, "epoch": 3}
    torch.save(run, tmp_path / "tfcodec_6k_514000.ckpt")
    argv = ["import", "tf_codec", str(tmp_path / "tfcodec_6k_514000.ckpt")]
    assert main.main([*argv, "-o", str(tmp_path / "out")]) == 0
    codebook = load_bundle(tmp_path / "out").params["params"]["quantizer"]["codebook"]
    np.testing.assert_array_equal(codebook[3], STATE["vq_layer_list.3.embedding"][0])
