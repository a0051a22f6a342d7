"""The benchmark counts the work it times, and prints a row for each part."""

import jax
import jax.numpy as jnp
import pytest

from hsmtss_jax.cli.main import main
from hsmtss_jax.models.audio_mae import AudioMAEConfig
from hsmtss_jax.speed.audio_mae import forward_flop, step_flop
from hsmtss_jax.testing.bundles import ROOT


def test_flop_of_the_paper_s_encoder():
    """12 layers of 768 over 512 tokens are 87 GFLOP of dense layers and 10 of attention."""
    config = AudioMAEConfig()
    dense = 2 * 512 * (12 * 12 * 768**2 + 256 * 768)
    attention = 12 * 4 * 512**2 * 768
    assert forward_flop(config) == dense + attention
    assert 3 * forward_flop(config) * 0.2 < step_flop(config) < 3 * forward_flop(config)


def test_flop_is_what_the_compiler_counts():
    """XLA's own count of an unrolled layer's products, within its element-wise operations."""
    config = AudioMAEConfig(frames=64, width=64, depth=1, heads=4)
    module = config.make()
    x = jnp.zeros((1, 64, 128))
    variables = module.init(jax.random.key(0), x, method="encode")
    compiled = jax.jit(lambda v, x: module.apply(v, x, method="encode")).lower(variables, x)
    counted = compiled.compile().cost_analysis()["flops"]
    assert forward_flop(config) < counted < 1.5 * forward_flop(config)


def test_the_command_prints_a_row_a_part(capsys):
    config = str(ROOT / "configs" / "audio_mae.py")
    arguments = ["--size", "tiny", "--config", config, "--batch", "4", "--repeats", "1"]
    assert main(["speed", "audio_mae", *arguments]) == 0
    printed = capsys.readouterr().out
    assert "| encoder forward |" in printed and "| pre-training step |" in printed
    assert "large matrix product" in printed


@pytest.mark.parity
def test_the_same_network_in_pytorch_is_timed_beside(capsys):
    pytest.importorskip("torch")
    config = str(ROOT / "configs" / "audio_mae.py")
    arguments = ["--size", "tiny", "--config", config, "--batch", "4", "--repeats", "1", "--peer"]
    assert main(["speed", "audio_mae", *arguments]) == 0
    printed = capsys.readouterr().out
    assert "PyTorch: t" in printed and "PyTorch: torch.nn's fused encoder" in printed


@pytest.mark.parametrize("arguments", [["--batch", "0"], ["--config", "missing.py"]])
def test_bad_arguments_give_one_line(arguments, capsys):
    assert main(["speed", "audio_mae", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
