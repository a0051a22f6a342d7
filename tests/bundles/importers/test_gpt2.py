"""Importer of public GPT-2 weights: names, untransposed kernels, errors."""

import numpy as np
import pytest

from hsmtss_jax.bundles.importers.gpt2 import gpt2_config, import_gpt2
from tests.bundles.importers.synthetic import GPT2, WIDTH, gpt2_state

CONFIG = gpt2_config(GPT2)
STATE = gpt2_state()


def test_values_go_where_they_belong():
    params = import_gpt2(CONFIG, STATE)
    blocks = params["stack"]["blocks"]
    np.testing.assert_array_equal(blocks["mlp"]["up"]["kernel"][1], STATE["h.1.mlp.c_fc.weight"])
    fused = STATE["h.0.attn.c_attn.weight"]
    np.testing.assert_array_equal(blocks["attention"]["key"]["kernel"][0], fused[:, 16:32])
    bias = STATE["h.0.attn.c_attn.bias"]
    np.testing.assert_array_equal(blocks["attention"]["value"]["bias"][0], bias[32:])
    np.testing.assert_array_equal(params["position"]["embedding"], STATE["wpe.weight"])


def test_prefix_and_tied_head():
    state = gpt2_state("transformer.")
    import_gpt2(CONFIG, state | {"lm_head.weight": state["transformer.wte.weight"]})
    with pytest.raises(ValueError, match="tied output head"):
        import_gpt2(CONFIG, state | {"lm_head.weight": np.zeros((29, WIDTH), np.float32)})


def test_files_that_do_not_fit():
    with pytest.raises(
        ValueError, match=r"missing h\.1\.ln_2\.bias: it does not hold all of GPT-2"
    ):
        import_gpt2(CONFIG, {k: v for k, v in STATE.items() if k != "h.1.ln_2.bias"})
    with pytest.raises(ValueError, match=r"unexpected h\.2\.ln_1\.weight"):
        import_gpt2(CONFIG, STATE | {"h.2.ln_1.weight": np.zeros(WIDTH)})
    with pytest.raises(ValueError, match=r"wpe\.weight has shape \(9, 16\)"):
        import_gpt2(CONFIG, STATE | {"wpe.weight": np.zeros((9, WIDTH), np.float32)})


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ({"model_type": "opt"}, "'opt' is not GPT-2"),
        ({"activation_function": "relu"}, "activation_function='relu'"),
        ({"n_inner": 7}, "n_inner=7"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings=False"),
    ],
)
def test_configs_that_are_not_modelled(entry, error):
    with pytest.raises(ValueError, match=error):
        gpt2_config(GPT2 | entry)


def test_an_incomplete_config():
    with pytest.raises(ValueError, match=r"config\.json lacks 'n_embd'"):
        gpt2_config({k: v for k, v in GPT2.items() if k != "n_embd"})
