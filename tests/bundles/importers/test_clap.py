"""Importer of CLAP's text tower: LAION's names, transformers' names, errors."""

import numpy as np
import pytest

from hsmtss_jax.bundles.importers.clap import clap_text_config, holds_clap_text, import_clap_text
from tests.bundles.importers.audiosep_state import (
    DEPTH,
    MLP,
    POSITIONS,
    QUERY,
    VOCAB,
    WIDTH,
    clap_state,
    network_state,
    whole_state,
)

STATE = clap_state()
CONFIG = clap_text_config(STATE)


def test_the_config_is_read_from_the_shapes():
    encoder = CONFIG.encoder
    assert (encoder.vocab, encoder.width, encoder.depth) == (len(VOCAB), WIDTH, DEPTH)
    assert (encoder.heads, encoder.mlp, encoder.segments) == (1, MLP, 1)
    assert (encoder.max_positions, encoder.norm_eps) == (POSITIONS - 2, 1e-5)
    assert CONFIG.embedding == QUERY and clap_text_config(STATE, heads=4).encoder.head_dim == 16


def test_values_go_where_they_belong():
    params = import_clap_text(CONFIG, STATE)
    table = STATE["module.text_branch.embeddings.position_embeddings.weight"]
    ours = params["encoder"]["stack"]["position"]["embedding"]
    np.testing.assert_array_equal(ours, table[2:])  # RoBERTa's first token has position 2
    np.testing.assert_array_equal(
        params["hidden"]["kernel"], STATE["module.text_projection.0.weight"].T
    )
    up = params["encoder"]["stack"]["layers"]["up"]["kernel"]
    theirs = STATE["module.text_branch.encoder.layer.1.intermediate.dense.weight"]
    np.testing.assert_array_equal(up[1], theirs.T)


def test_transformers_names_and_audiosep_s_own_copy():
    renamed = {
        name.replace("text_branch.", "text_model.")
        .replace("text_projection.0", "text_projection.linear1")
        .replace("text_projection.2", "text_projection.linear2"): value
        for name, value in clap_state("").items()
    }
    ours = import_clap_text(CONFIG, STATE)
    for state in (renamed, whole_state()):
        assert clap_text_config(state) == CONFIG
        found = import_clap_text(CONFIG, state)
        np.testing.assert_array_equal(found["out"]["kernel"], ours["out"]["kernel"])
    assert holds_clap_text(whole_state()) and not holds_clap_text(network_state())


def test_files_that_do_not_fit():
    with pytest.raises(ValueError, match="it holds no CLAP's text tower; give LAION's"):
        clap_text_config(network_state())
    with pytest.raises(ValueError, match="64 does not divide into 7 heads: give --heads"):
        clap_text_config(STATE, heads=7)
    with pytest.raises(ValueError, match=r"unexpected text_branch\.adapter"):
        import_clap_text(CONFIG, STATE | {"module.text_branch.adapter": np.zeros(1)})
    with pytest.raises(ValueError, match=r"weight has shape \(3,\)"):
        clap_text_config(STATE | {"module.text_projection.0.weight": np.zeros(3)})
