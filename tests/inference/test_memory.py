"""Memory is what was estimated, and does not grow with a file: nothing of its size is ever held."""

import functools
import tracemalloc

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio.windows import plan_windows
from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.pipeline import ROLES
from hsmtss_jax.conversion import to_dict
from hsmtss_jax.inference.engine import Engine
from hsmtss_jax.inference.memory import PROGRAM, estimate_memory, rows_at_once
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.outlets import FileSink, OutputFiles
from hsmtss_jax.inference.recording import open_recording
from hsmtss_jax.instructions import parse
from hsmtss_jax.models.mask_separator import audiosep
from hsmtss_jax.testing.bundles import tiny_upstream

RATE = 16000
SHORT, LONG = 25, 50  # [s] a second of float samples is 64 kB
PROMPT = "extract the dog"


def write_noise(path, seconds):
    rng = np.random.default_rng(seconds)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for _ in range(seconds):
            file.write(0.05 * rng.normal(size=RATE))
    return path


def peak_of(runtime, source, out, options):
    """Bytes at the peak of one run, with little kept between the survey and the separation."""
    plan = functools.partial(plan_windows, window=runtime.window, overlap=10_240, unit=320)
    tracemalloc.start()
    try:
        engine = Engine(runtime, options, [[parse(PROMPT)]], plan, cache_bytes=100_000, block=2.0)
        sink = FileSink([OutputFiles(PROMPT, out)], options)
        ((report,),) = engine.run([open_recording(source)], [sink])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.samples == soundfile.info(source).frames == soundfile.info(out).frames
    return peak


@pytest.mark.parametrize("scope", ["window", "file"])
def test_twice_the_length_takes_the_same_memory(scope, runtime, tmp_path):
    options = SeparateOptions(mode="mask", global_scope=scope, residual=False)
    files = [write_noise(tmp_path / f"{seconds}.wav", seconds) for seconds in (SHORT, LONG)]
    peak_of(runtime, files[0], tmp_path / "out.wav", options)  # loads what is loaded at first use
    short, long = (peak_of(runtime, file, tmp_path / "out.wav", options) for file in files)
    grown = (LONG - SHORT) * RATE * 4
    assert long - short < 0.25 * grown


def test_the_papers_memory():
    """From the configs alone: the decoder in bfloat16, a cache of 64 rows over 1,025 slots."""
    bundles = tiny_upstream(ROLES[1:], "paper", abstract=True)
    parameters = dict.fromkeys(bundles, 1000)
    need = estimate_memory(bundles, parameters, rows=64, itemsize=2)
    assert need.host_copy == 4 * 5 * 1000 and need.weights == need.host_copy - 2 * 1000
    assert need.cache == 2 * 12 * 64 * 1024 * (512 + 513) * 2
    assert need.device == need.weights + need.cache + need.activations
    assert need.host == need.host_copy + PROGRAM
    twice = estimate_memory(bundles, parameters, rows=128, itemsize=2)
    assert twice.activations == 2 * need.activations


def test_a_mask_separator_s_memory():
    """Five maps of 1,032 frames, 1,024 bins and 32 channels a row; a CPU computes one row at a time."""
    config = {"model": to_dict(audiosep())}
    bundles = {
        "text_encoder": Bundle("clap_text", {}, {}),
        "mask_separator": Bundle("", config, {}),
    }
    assert rows_at_once(bundles, 16, "cpu") == 1 and rows_at_once(bundles, 16, "gpu") == 16
    assert rows_at_once(ROLES, 16, "cpu") == 16
    need = estimate_memory(bundles, dict.fromkeys(bundles, 1000), rows=2, itemsize=4)
    assert need.activations == 2 * 5 * 1032 * 1024 * 32 * 4
    assert (need.weights, need.cache, need.host_copy) == (8000, 0, 8000)
