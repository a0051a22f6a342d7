"""``hsmtss speed mask_separator`` prints a row for each network."""

import pytest

from hsmtss_jax.cli.main import main

TINY = ("--config", "mask_separator", "--size", "tiny", "--seconds", "1", "--repeats", "1")


def test_the_command_prints_its_row(capsys):
    assert main(["speed", "mask_separator", *TINY]) == 0
    printed = capsys.readouterr().out
    assert "| forward |" in printed and "1 x 1 s at 16000 Hz" in printed


@pytest.mark.parity
def test_the_same_network_in_pytorch_is_timed_beside(capsys):
    pytest.importorskip("torch")
    assert main(["speed", "mask_separator", *TINY, "--peer"]) == 0
    assert "| forward, PyTorch |" in capsys.readouterr().out


def test_another_network_is_refused(capsys):
    assert main(["speed", "mask_separator", "--config", "audio_mae"]) == 2
    assert "no config of the mask separator" in capsys.readouterr().err
