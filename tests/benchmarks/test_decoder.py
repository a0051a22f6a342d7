"""The decoder benchmark counts what it reads, compares what it should, and prints its tables."""

import gc

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.benchmarks import memory
from hsmtss_jax.benchmarks.bare_products import bare_loop, stack_layers, stacked_loop, step_bytes
from hsmtss_jax.benchmarks.decoder import DecoderRow, cache_bytes, random_weights
from hsmtss_jax.cli.main import main
from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
from hsmtss_jax.sampling import Policy
from hsmtss_jax.testing.bundles import ROOT

TINY = AcousticDecoderConfig(
    width=32, depth=2, heads=4, groups=3, codes=11, audio_width=20, time_patches=3, freq_patches=2
)
CONFIG = ["--config", str(ROOT / "configs" / "acoustic_decoder.py"), "--size", "tiny"]


def test_bytes_of_a_step_are_all_weights_behind_the_embedding():
    weights = random_weights(TINY, jnp.float32)
    layer = 12 * 32**2 + 13 * 32
    assert step_bytes(weights) == 4 * (2 * layer + 2 * 32 + 36 * 33)
    assert cache_bytes(TINY, 2, 9, weights) == 4 * 2 * 2 * 2 * 32 * (6 + 5)


def test_the_bare_loops_of_both_kinds_compute_the_same():
    weights = random_weights(TINY, jnp.float32, "batch_last")
    x = jnp.ones((32, 2))
    unrolled = jax.jit(bare_loop(3))(weights, x)
    stacked = jax.jit(stacked_loop(3))(stack_layers(weights), x)
    other = jax.jit(bare_loop(3))(random_weights(TINY, jnp.float32, "in_out"), x)
    np.testing.assert_allclose(unrolled, stacked, rtol=1e-6)
    np.testing.assert_allclose(unrolled, other, rtol=1e-6)


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
    )
    assert row.rate == 100 and row.bare_rate == 200 and row.peer_rate == 50
    assert row.bandwidth_share == 0.5


def test_memory_is_measured():
    assert memory.Reader(2**20).rate() > 1e6
    assert any(_peak_of(50_000_000) > 25_000_000 for _ in range(5))


def _peak_of(size: int) -> int:
    """What an array adds to the peak; less where the process gives memory back meanwhile."""
    gc.collect()
    memory.forget_peak()
    before = memory.peak_bytes()
    held = np.ones(size, np.uint8)
    assert before > 10e6 and held[-1] == 1
    return memory.peak_bytes() - before


def test_the_command_prints_a_row_a_batch(capsys):
    arguments = [*CONFIG, "--batch", "2", "1", "--frames", "4", "--repeats", "1", "--top-k", "0"]
    assert main(["bench", "decoder", *arguments]) == 0
    printed = capsys.readouterr().out
    assert "\n| 1 | " in printed and "\n| 2 | " in printed and "large read" in printed


def test_the_command_compares_the_forms(capsys):
    assert main(["bench", "decoder", *CONFIG, "--batch", "1", "--repeats", "1", "--forms"]) == 0
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
    assert main(["bench", "decoder", *CONFIG, *arguments]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1 and says in printed


@pytest.mark.parity
@pytest.mark.parametrize("policy", [Policy(), Policy(temperature=0.0)])
def test_pytorch_generates_from_the_same_size(policy):
    pytest.importorskip("torch")
    from hsmtss_jax.benchmarks.decoder_peer import CACHES, make_peer

    peer = make_peer(TINY, 5, policy)
    sizes = peer.model.config
    assert (sizes.n_embd, sizes.n_layer, sizes.n_head, sizes.vocab_size) == (32, 2, 4, 36)
    for cache in CACHES:
        times = peer.times(2, 5, cache)
        assert times.prefill > 0 and times.decode > 0
    assert peer.faster_cache(1, 2) in CACHES
