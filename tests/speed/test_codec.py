"""The codec's benchmark prints a row a part, and PyTorch's beside."""

import pytest

from hsmtss_jax.cli.main import main
from hsmtss_jax.speed.codec import CodecTiming, table
from hsmtss_jax.speed.timing import Timing
from hsmtss_jax.testing.bundles import ROOT

CONFIG = ["--size=tiny", f"--config={ROOT / 'configs' / 'tf_codec.py'}"]


def test_a_peer_is_compared_with_our_row_of_the_same_name():
    rows = [
        CodecTiming("encode", Timing(0.5, 3.0), 10.0),
        CodecTiming("encode, PyTorch as published", Timing(1.5), 10.0, peer=True),
    ]
    ours, theirs = table(rows).to_markdown().splitlines()[2:]
    assert ours == "| encode | 0.5 | 3.0 | 20.0 | - |"
    assert theirs == "| encode, PyTorch as published | 1.5 | - | 6.7 | 3.0 |"


def test_the_command_prints_a_row_a_part(capsys):
    assert main(["speed", "codec", *CONFIG, "--repeats=1", "--seconds=0.2"]) == 0
    printed = capsys.readouterr().out
    for name in ("encode", "decode", "encode + decode"):
        assert f"| {name} |" in printed
    assert "real-time factor" in printed and "training step" not in printed


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_pytorch_is_timed_beside(capsys):
    pytest.importorskip("torch")
    assert main(["speed", "codec", *CONFIG, "--repeats=1", "--seconds=0.2", "--peer"]) == 0
    printed = capsys.readouterr().out
    assert "| encode, PyTorch |" in printed
    assert "| encode + decode, PyTorch as published |" in printed


@pytest.mark.parametrize("arguments", [["--batch=0"], ["--seconds=0"], ["--config=missing.py"]])
def test_bad_arguments_give_one_line(arguments, capsys):
    assert main(["speed", "codec", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
