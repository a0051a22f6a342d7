"""Importer of MW-MAE's encoder blocks: from a flax checkpoint file to AudioMAE's paths; errors."""

import numpy as np
import pytest
from flax import serialization

from hsmtss_jax.bundles.importers.mw_mae import import_mw_mae, mw_mae_config, mw_mae_state
from hsmtss_jax.bundles.importers.read import read_flax
from tests.bundles.importers.synthetic import DEPTH, HEADS, WIDTH, mw_mae_params

PARAMS = mw_mae_params()


def test_blocks_of_a_checkpoint_file(tmp_path):
    saved = {"step": 7, "params": PARAMS, "opt_state": {"0": {"mu": PARAMS, "nu": PARAMS}}}
    path = tmp_path / "checkpoint_7"
    path.write_bytes(serialization.msgpack_serialize(saved))
    state = mw_mae_state(read_flax(path))
    config = mw_mae_config(state, HEADS)
    assert (config.width, config.depth, config.heads) == (WIDTH, DEPTH, HEADS)
    tree = import_mw_mae(config, state)["encoder"]["transformer"]
    block = PARAMS["encoder_block_01"]
    fused = block["Attention_0"]["Dense_0"]["kernel"]
    attention = tree["blocks"]["attention"]
    np.testing.assert_array_equal(attention["value"]["kernel"][1], fused[:, 2 * WIDTH :])
    np.testing.assert_array_equal(
        tree["blocks"]["mlp"]["down"]["kernel"][1], block["Mlp_0"]["Dense_1"]["kernel"]
    )
    np.testing.assert_array_equal(tree["norm"]["scale"], PARAMS["encoder_norm"]["scale"])


def test_files_that_do_not_fit():
    state = mw_mae_state(PARAMS)
    config = mw_mae_config(state, HEADS)
    key = "encoder_block_01/Mlp_0/Dense_0/bias"
    with pytest.raises(ValueError, match=f"missing {key}: it does not hold all of an MW-MAE"):
        import_mw_mae(config, {k: v for k, v in state.items() if k != key})
    with pytest.raises(ValueError, match="unexpected encoder_block_01/gate"):
        import_mw_mae(config, state | {"encoder_block_01/gate": np.zeros(1)})
    with pytest.raises(ValueError, match=f"{key} has shape"):
        import_mw_mae(config, state | {key: np.zeros(3, np.float32)})
    with pytest.raises(ValueError, match="0 trees with encoder_block_00"):
        mw_mae_state({"params": {"layer": {"kernel": np.zeros(1)}}})
    with pytest.raises(ValueError, match="2 trees"):
        mw_mae_state({"params": PARAMS, "ema": PARAMS})
    with pytest.raises(ValueError, match="give --heads"):
        mw_mae_config(state)


def test_files_that_are_not_flax(tmp_path):
    path = tmp_path / "checkpoint"
    path.write_bytes(serialization.msgpack_serialize(PARAMS)[:-50])
    with pytest.raises(ValueError, match="truncated or not flax msgpack"):
        read_flax(path)
    path.write_bytes(b"\x01")
    with pytest.raises(ValueError, match="no parameter tree"):
        read_flax(path)
    with pytest.raises(ValueError, match="is a folder: give the msgpack file"):
        read_flax(tmp_path)
