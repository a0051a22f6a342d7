"""The decoder benchmark counts what it reads, compares what it should, and prints its tables."""

import jax.numpy as jnp
import pytest

from hsmtss_jax.cli.main import main
from hsmtss_jax.speed.bare_products import step_bytes
from hsmtss_jax.speed.decoder import DecoderRow, cache_bytes, random_weights, table
from hsmtss_jax.testing.bundles import ROOT
from tests.models.acoustic_decoder.tiny import TINY

CONFIG = ["--config", str(ROOT / "configs" / "acoustic_decoder.py"), "--size", "tiny"]


def test_bytes_of_a_step_are_all_weights_behind_the_embedding():
    weights = random_weights(TINY, jnp.float32)
    layer = 12 * 32**2 + 13 * 32
    assert step_bytes(weights) == 4 * (2 * layer + 2 * 32 + 36 * 33)
    assert cache_bytes(TINY, 2, 9, weights) == 4 * 2 * 2 * 2 * 32 * (6 + 5)


def test_rates_follow_from_the_times():
    row = DecoderRow(
        batch=4,
        frames=50,
        prefill=1.0,
        decode=2.0,
        bare=0.32,
        compile_seconds=3.0,
        step_bytes=1e9,
        bandwidth=50e9,
        peak_bytes=1,
        peer=4.0,
        peer_cache="static",
    )
    assert row.rate == 100 and row.bare_rate == 200 and row.peer_rate == 50
    assert row.bandwidth_share == 0.5
    printed = table([row]).to_markdown().splitlines()[2]
    assert (
        printed
        == "| 4 | 100.0 | 50 | 200.0 | 50 | 50.0 (static cache) | 2.00 | 1.00 | 3.0 | 0.00 |"
    )


def test_the_command_prints_a_row_a_batch(capsys):
    arguments = [*CONFIG, "--batch", "2", "1", "--frames", "4", "--repeats", "1", "--top-k", "0"]
    assert main(["speed", "decoder", *arguments]) == 0
    printed = capsys.readouterr().out
    assert "\n| 1 | " in printed and "\n| 2 | " in printed and "large read" in printed


def test_the_command_compares_the_forms(capsys):
    assert main(["speed", "decoder", *CONFIG, "--batch", "1", "--repeats", "1", "--forms"]) == 0
    printed = capsys.readouterr().out
    assert all(f"| {form} |" in printed for form in ("batch_last", "out_in", "in_out"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--batch", "0"], "at least 1"),
        (["--frames", "9999"], "between 1 and 129"),
        (["--config", str(ROOT / "configs" / "tf_codec.py")], "no config of the acoustic decoder"),
    ],
)
def test_bad_arguments_give_one_line(arguments, says, capsys):
    assert main(["speed", "decoder", *CONFIG, *arguments]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1 and says in printed
