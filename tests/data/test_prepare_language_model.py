"""A small GPT-2 of one's own: a bundle like an imported one, with a tokenizer that writes any text."""

import importlib.util
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from hsmtss_jax.bundles.bundle import load_bundle
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.models.gpt2 import GPT2Config
from hsmtss_jax.models.text.tokenizer import CausalTokenizer

SCRIPT = Path(__file__).parents[2] / "data" / "language_model" / "prepare.py"
SIZES = ["--vocab=300", "--width=16", "--depth=1", "--heads=2", "--positions=32"]


@pytest.fixture(scope="module")
def prepare():
    spec = importlib.util.spec_from_file_location("prepare_language_model", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_writes_a_bundle_that_runs(prepare, tiny_corpus, tmp_path, capsys):
    prepare.main([f"--data={tiny_corpus}", f"--out={tmp_path / 'gpt2'}", *SIZES])
    bundle = load_bundle(tmp_path / "gpt2")
    config = from_dict(GPT2Config, bundle.config["model"])
    assert bundle.stage == "gpt2" and 257 < config.vocab <= 300
    tokenizer = CausalTokenizer.from_bundle(bundle)
    text = "a bell rings, naïve"  # bytes that no caption has
    ids, mask = tokenizer([text], 32)
    assert tokenizer.decode(ids[0][mask[0]]) == text
    assert ids.max() < config.vocab and ids[0][mask[0]][-1] == tokenizer.end_id
    logits = jax.eval_shape(config.make().apply, {"params": bundle.params}, jnp.asarray(ids)).logits
    assert logits.shape == (1, 32, config.vocab)
    assert f"{config.vocab} tokens" in capsys.readouterr().out


def test_bad_sizes_give_a_line(prepare, tiny_corpus, tmp_path, capsys):
    with pytest.raises(SystemExit):
        prepare.main([f"--data={tiny_corpus}", "--width=10", "--heads=4"])
    assert "not divisible" in capsys.readouterr().err
    with pytest.raises(ValueError, match="257"):
        prepare.main([f"--data={tiny_corpus}", f"--out={tmp_path}/x", "--vocab=100"])
    assert not (tmp_path / "x").exists()
