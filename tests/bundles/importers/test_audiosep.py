"""Importer of AudioSep's network: names, layouts, what is left out, errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.importers.audiosep import audiosep_config, import_audiosep, query_width
from hsmtss_jax.models.mask_separator import audiosep
from tests.bundles.importers.audiosep_state import CHANNELS, N_FFT, QUERY, network_state

STATE = network_state()
CONFIG = audiosep_config(STATE)
VARIABLES = import_audiosep(CONFIG, STATE)


def test_the_config_is_read_from_the_shapes():
    assert (CONFIG.channels, CONFIG.n_fft, query_width(STATE)) == (CHANNELS, N_FFT, QUERY)
    assert (CONFIG.sample_rate, CONFIG.hop) == (8_000, 80), "64 ms every 10 ms"


def test_the_published_network_has_its_live_parameters():
    config = audiosep()
    shapes = jax.eval_shape(
        config.make().init, jax.random.key(0), jnp.ones((1, 2048)), jnp.ones((1, 512))
    )
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes["params"])) == 25_623_941


def test_values_go_where_they_belong():
    params, stats = VARIABLES["params"], VARIABLES["batch_stats"]
    conv = STATE["ss_model.base.encoder_block2.conv_block1.conv1.weight"]
    kernel = params["encoder_1"]["first"]["kernel"]
    np.testing.assert_array_equal(kernel[1, 2, 3, 4], conv[4, 3, 1, 2])
    deconv = STATE["ss_model.base.decoder_block2.conv1.weight"]
    kernel = params["decoder_0"]["up"]["kernel"]
    np.testing.assert_array_equal(kernel[0, 1, 5, 2], deconv[5, 2, 1, 0])
    shift = STATE["ss_model.film.decoder_block1->conv_block2->beta2.weight"]
    second = params["decoder_1"]["block"]["second_input"]
    np.testing.assert_array_equal(second["shift"]["kernel"], shift.T)
    mean = STATE["ss_model.base.conv_block3a.conv_block1.bn1.running_mean"]
    np.testing.assert_array_equal(stats["middle"]["first_input"]["norm"]["mean"], mean)


def test_it_runs():
    x = 0.1 * np.random.default_rng(0).normal(size=(1, 900)).astype(np.float32)
    out = jax.jit(CONFIG.make().apply)(VARIABLES, x, np.ones((1, QUERY), np.float32))
    assert out.shape == (1, 900) and bool(jnp.all(jnp.isfinite(out)))


@pytest.mark.parametrize("prefix", ["", "model.", "module.ss_model."])
def test_names_may_have_another_prefix(prefix):
    again = import_audiosep(CONFIG, network_state(prefix))
    jax.tree.map(np.testing.assert_array_equal, again, VARIABLES)


def test_files_that_do_not_fit():
    name = "ss_model.base.decoder_block2.conv_block2.conv1.weight"
    without = {key: value for key, value in STATE.items() if key != name}
    with pytest.raises(ValueError, match=r"missing base\.decoder_block2\.conv_block2\.conv1"):
        import_audiosep(CONFIG, without)
    with pytest.raises(ValueError, match=r"unexpected base\.dual_path\.weight: its network is not"):
        import_audiosep(CONFIG, STATE | {"ss_model.base.dual_path.weight": np.zeros(3)})
    with pytest.raises(ValueError, match="it is no AudioSep's ResUNet30"):
        audiosep_config({"weight": np.zeros(1)})
    stereo = STATE | {"ss_model.base.pre_conv.weight": np.zeros((4, 2, 1, 1), np.float32)}
    with pytest.raises(ValueError, match="takes 2 channels: only mono"):
        audiosep_config(stereo)
    with pytest.raises(ValueError, match=r"base\.bn0\.weight has shape \(1, 2\)"):
        audiosep_config(STATE | {"ss_model.base.bn0.weight": np.zeros((1, 2), np.float32)})
