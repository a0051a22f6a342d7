"""Sinks: what is written is what comes out, whole or not at all."""

import struct

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio.io import AudioWarning
from hsmtss_jax.audio.io.chunks import read_extras
from hsmtss_jax.inference.options import (
    Activity,
    Failed,
    Presence,
    SeparateOptions,
    SeparationReport,
)
from hsmtss_jax.inference.outlets import ArraySink, FileSink, OutputFiles, output_channels
from hsmtss_jax.inference.recording import open_recording
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.instructions import Instruction

RATE = 8000
SOUND = (0.1 * np.random.default_rng(0).normal(size=(RATE, 2))).astype(np.float32)
RECORDING = open_recording(SOUND, RATE)
REPORT = SeparationReport(
    instruction=Instruction("extract", "dog"),
    mode="mask",
    sample_rate=RATE,
    samples=RATE,
    windows=1,
    presence=Presence(0.5, 0.5, 0.5),
    activity=Activity(np.zeros(1), np.zeros(1)),
    peak=0.5,
    bandwidth=8000.0,
    timing={},
)


def write(writer, sound):
    for part in np.array_split(sound, 3):
        writer.write(part)


@pytest.mark.parametrize(("mode", "channels"), [("mask", 2), ("generate", 1), ("blend", 2)])
def test_generated_sound_is_mono(mode, channels):
    assert output_channels(RECORDING, SeparateOptions(mode=mode)) == channels


@pytest.mark.parametrize("residual", [True, False])
def test_arrays_come_with_the_report(residual):
    sink = ArraySink(SeparateOptions(residual=residual))
    with sink.open(RECORDING, [1]) as writers:
        write(writers[1].target, SOUND)
        if residual:
            write(writers[1].residual, -SOUND)
    result = sink.result(1, REPORT)
    np.testing.assert_array_equal(result.target, SOUND)
    assert (result.residual is None) == (not residual) and result.peak == REPORT.peak
    failed = Failed(ValueError("silent"))
    assert sink.result(0, failed) is failed


def outputs_in(folder):
    first = OutputFiles("extract a dog", folder / "a.wav", folder / "a_rest.wav")
    return [first, OutputFiles("remove a dog", folder / "b.flac"), OutputFiles("x", None)]


def test_files_appear_when_they_are_complete(tmp_path):
    sink = FileSink(outputs_in(tmp_path), SeparateOptions())
    with sink.open(RECORDING, [0, 1, 2]) as writers:
        assert writers[1].residual is None and writers[2] == Stems(None)
        for writer in (writers[0].target, writers[0].residual, writers[1].target):
            write(writer, SOUND)
        assert not (tmp_path / "a.wav").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"a.wav", "a_rest.wav", "b.flac"}
    samples, rate = soundfile.read(tmp_path / "b.flac")
    assert rate == RATE
    np.testing.assert_allclose(samples, SOUND, atol=1e-4)


def test_a_failure_leaves_no_file(tmp_path):
    sink = FileSink(outputs_in(tmp_path), SeparateOptions())
    with pytest.raises(RuntimeError), sink.open(RECORDING, [0]) as writers:
        write(writers[0].target, SOUND)
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_the_input_is_never_overwritten(tmp_path):
    source = tmp_path / "a.wav"
    soundfile.write(source, SOUND, RATE)
    sink = FileSink(outputs_in(tmp_path), SeparateOptions())
    with pytest.raises(ValueError, match="would overwrite the input"):
        sink.check(source)
    with pytest.raises(ValueError, match="no format that is written"):
        FileSink([OutputFiles("x", tmp_path / "a.xyz")], SeparateOptions()).check(source)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT", "DOUBLE", "ULAW"])
def test_files_are_as_the_input(tmp_path, subtype):
    source = tmp_path / "in.wav"
    soundfile.write(source, SOUND, RATE, subtype=subtype)
    sink = FileSink([OutputFiles("x", tmp_path / "out.wav")], SeparateOptions())
    sink.check(source)
    with sink.open(open_recording(source), [0]) as writers:
        write(writers[0].target, SOUND)
    assert soundfile.info(tmp_path / "out.wav").subtype == subtype


def test_too_loud_sounds_are_told_with_their_gain(tmp_path):
    sink = FileSink([OutputFiles("x", tmp_path / "a.flac", tmp_path / "b.flac")], SeparateOptions())

    def write_both():
        with sink.open(RECORDING, [0]) as writers:
            write(writers[0].target, 4 * SOUND)
            write(writers[0].residual, SOUND)

    with pytest.warns(AudioWarning, match="turned down"):
        write_both()
    (report,) = sink.told([REPORT])
    peak = float(np.abs(4 * SOUND).max())
    assert report.gain == pytest.approx(1 / peak) and peak > 1
    np.testing.assert_allclose(soundfile.read(tmp_path / "b.flac")[0], SOUND / peak, atol=1e-4)
    failed = Failed(ValueError())
    assert sink.told([failed]) == [failed]


def bext(reference: int) -> bytes:
    """Return a broadcast extension chunk."""
    body = bytearray(602)
    struct.pack_into("<QH", body, 338, reference, 1)
    return struct.pack("<4sI", b"bext", len(body)) + bytes(body)


@pytest.mark.parametrize("start", [0.0, 0.25])
def test_the_time_reference_is_that_of_the_part(tmp_path, start):
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    soundfile.write(source, SOUND, RATE)
    source.write_bytes(source.read_bytes() + bext(1000))
    recording = open_recording(source, start=start)
    sink = FileSink([OutputFiles("x", target)], SeparateOptions())
    sink.check(source, recording.length)
    with sink.open(recording, [0]) as writers:
        write(writers[0].target, SOUND[-recording.length :])
    (chunk,) = read_extras(target).chunks
    assert struct.unpack_from("<Q", chunk.body, 338)[0] == 1000 + start * RATE
    np.testing.assert_allclose(soundfile.read(target)[0], SOUND[-recording.length :], atol=2**-15)
