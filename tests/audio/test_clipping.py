"""Sounds that belong together are written under one gain, all of them or none."""

import os
import warnings

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio.clipping import Planned, Sounds, open_together
from hsmtss_jax.audio.io import AudioError, AudioWarning, Metadata, choose
from hsmtss_jax.audio.output import OutputOptions

RATE = 16_000
LOUD = np.tile(np.array([[0.5], [-2.0], [1.0], [0.0]], np.float32), (2000, 2))
QUIET = LOUD / 4


def write(folder, options=None, *, bounded=False, suffix=".wav", sounds=(LOUD, QUIET)):
    """Write sounds together; return what is read back, the gain and the warnings."""
    options, gains = options or OutputOptions(), []
    paths = [folder / f"{name}{suffix}" for name in ("loud", "quiet")]
    files = [Planned(path, choose(path, options)) for path in paths]
    shape = Sounds(RATE, 2, len(LOUD))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with open_together(
            files, shape, options, Metadata(), bounded=bounded, told=gains.append
        ) as writers:
            for writer, sound in zip(writers, sounds, strict=True):
                for start in range(0, len(sound), 1000):
                    writer.write(sound[start : start + 1000])
            assert not any(path.exists() for path in paths)
    assert all(issubclass(each.category, AudioWarning) for each in caught)
    assert sorted(os.listdir(folder)) == sorted(path.name for path in paths)
    read = [soundfile.read(path, dtype="float32")[0] for path in paths]
    return read, (gains or [1.0])[0], [str(each.message) for each in caught]


@pytest.mark.parametrize(("depth", "suffix"), [("16", ".wav"), ("24", ".flac")])
def test_whole_numbers_are_scaled_alike_and_it_is_told(tmp_path, depth, suffix):
    read, gain, told = write(tmp_path, OutputOptions(bit_depth=depth), suffix=suffix)
    assert gain == 0.5 and len(told) == 1 and "samples reach 2: turned down by 6.0 dB" in told[0]
    np.testing.assert_allclose(read[0], LOUD / 2, atol=1e-4)
    np.testing.assert_allclose(read[1], QUIET / 2, atol=1e-4)


def test_floats_are_kept(tmp_path):
    read, gain, told = write(tmp_path, OutputOptions(bit_depth="float"))
    assert gain == 1 and told == []
    np.testing.assert_array_equal(read[0], LOUD)


def test_floats_can_be_scaled_too(tmp_path):
    read, gain, _ = write(tmp_path, OutputOptions(bit_depth="float", clip_mode="rescale"))
    np.testing.assert_array_equal(read[0], LOUD / 2)
    assert gain == 0.5


@pytest.mark.parametrize("depth", ["16", "float"])
def test_clamping_changes_what_is_beyond_one_only(tmp_path, depth):
    read, gain, told = write(tmp_path, OutputOptions(bit_depth=depth, clip_mode="clamp"))
    assert gain == 1 and len(told) == 1 and "loud.wav: samples reach 2: they are cut off" in told[0]
    np.testing.assert_allclose(read[0], LOUD.clip(-1, 1), atol=1e-4)
    np.testing.assert_allclose(read[1], QUIET, atol=1e-4)


def test_nothing_is_scaled_up(tmp_path):
    read, gain, told = write(tmp_path, sounds=(QUIET, QUIET))
    assert gain == 1 and told == []
    np.testing.assert_allclose(read[0], QUIET, atol=1e-4)


def test_bounded_sound_needs_no_working_file(tmp_path):
    read, gain, told = write(tmp_path, bounded=True, sounds=(QUIET, QUIET))
    np.testing.assert_allclose(read[1], QUIET, atol=1e-4)
    assert gain == 1 and told == []


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(AudioError, match="NaN"):
        write(tmp_path, sounds=(LOUD, QUIET * np.nan))
    with pytest.raises(AudioError, match=r"loud.wav: cannot be written \(No such file"):
        write(tmp_path / "gone")
    assert os.listdir(tmp_path) == []
