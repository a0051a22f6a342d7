"""Memory does not grow with the length of a file: nothing of its size is ever held."""

import tracemalloc

import numpy as np
import pytest
import soundfile

RATE = 16000
SHORT, LONG = 25, 50  # seconds; a second of float samples is 64 kB


def write_noise(path, seconds):
    rng = np.random.default_rng(seconds)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for _ in range(seconds):
            file.write(0.05 * rng.normal(size=RATE))
    return path


def peak_of(separator, source, out, options):
    """Bytes at the peak of one run."""
    tracemalloc.start()
    try:
        report = separator.separate_file(source, out, "extract the dog", **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.samples == soundfile.info(source).frames == soundfile.info(out).frames
    return peak


@pytest.mark.parametrize("options", [{"mode": "mask"}, {"mode": "mask", "global_scope": "file"}])
def test_twice_the_length_takes_the_same_memory(options, separator, tmp_path, monkeypatch):
    monkeypatch.setattr("hsmtss_jax.inference.generator.KEPT", 100_000)
    monkeypatch.setattr("hsmtss_jax.audio.masking.BLOCK", 2)
    files = [write_noise(tmp_path / f"{seconds}.wav", seconds) for seconds in (SHORT, LONG)]
    short, long = (peak_of(separator, file, tmp_path / "out.wav", options) for file in files)
    grown = (LONG - SHORT) * RATE * 4
    assert long - short < 0.25 * grown
