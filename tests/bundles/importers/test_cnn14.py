"""Importer of PANNs' Cnn14: names, layouts, errors, and the command."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from hsmtss_jax.bundles.bundle import load_bundle
from hsmtss_jax.bundles.importers.cnn14 import cnn14_config, import_cnn14
from hsmtss_jax.cli import main
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.models.judges.cnn14 import Cnn14Config
from tests.bundles.importers.cnn14_state import cnn14_state

STATE = cnn14_state()
CONFIG = Cnn14Config(channels=(4, 5, 6), width=7, classes=9)


def test_values_go_where_they_belong():
    assert cnn14_config(STATE) == CONFIG
    found = import_cnn14(CONFIG, {f"module.{name}": value for name, value in STATE.items()})
    kernel = found["params"]["block1"]["conv2"]["kernel"]
    np.testing.assert_array_equal(kernel[0, 2, 3, 4], STATE["conv_block2.conv2.weight"][4, 3, 0, 2])
    mean = found["batch_stats"]["block2"]["norm1"]["mean"]
    np.testing.assert_array_equal(mean, STATE["conv_block3.bn1.running_mean"])
    np.testing.assert_array_equal(
        found["params"]["classifier"]["kernel"], STATE["fc_audioset.weight"].T
    )


def test_the_command_writes_a_bundle(tmp_path):
    save_file(STATE, tmp_path / "cnn14.safetensors")
    argv = ["import", "panns", str(tmp_path / "cnn14.safetensors"), "-o", str(tmp_path / "out")]
    assert main.main(argv) == 0
    bundle = load_bundle(tmp_path / "out")
    assert bundle.stage == "cnn14"
    assert from_dict(Cnn14Config, bundle.config["model"]) == CONFIG


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"bn0.weight": None}, "is no Cnn14"),
        ({"conv_block1.conv1.weight": None}, "is no Cnn14"),
        ({"conv_block2.conv1.weight": None}, r"unexpected conv_block2\.bn1"),
        ({"conv_block2.conv2.weight": None}, r"missing conv_block2\.conv2\.weight"),
        ({"conv_block1.extra": np.zeros(2, np.float32)}, r"unexpected conv_block1\.extra"),
        ({"logmel_extractor.melW": np.zeros((513, 64))}, "those of 16 kHz 257"),
        ({"fc1.bias": np.zeros(3, np.float32)}, r"fc1\.bias has shape \(3,\)"),
    ],
)
def test_what_does_not_fit_is_named(change, error):
    state = {name: value for name, value in (STATE | change).items() if value is not None}
    with pytest.raises(ValueError, match=error):
        import_cnn14(cnn14_config(state), state)
