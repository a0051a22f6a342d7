"""Separators from waveform to waveform: channels, rates, windows, rests, options, through ``Separator``."""

import numpy as np
import pytest

from hsmtss_jax.audio.io import read_audio, write_audio
from hsmtss_jax.audio.output import OutputOptions
from hsmtss_jax.inference import SeparateOptions, Separator
from hsmtss_jax.inference.options import Failed
from hsmtss_jax.inference.outlets import OutputFiles
from hsmtss_jax.inference.waveform import GENERATIVE, check_options
from hsmtss_jax.testing.mask_systems import FakeMaskSystem

SHARES = {"bell": 0.5, "dog": 0.25}


def stereo(seconds, rate=8_000):
    """Two channels of different, smooth noise without an offset."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(round(seconds * rate), 2))
    smooth = np.stack([np.convolve(x, np.ones(9) / 9, "same") for x in noise.T], axis=1)
    return (0.2 * (smooth - smooth.mean(axis=0))).astype(np.float32)


@pytest.fixture
def system():
    return FakeMaskSystem(SHARES)


@pytest.mark.parametrize("seconds", [0.3, 2.0, 5.37])
def test_channels_keep_their_own_sound_across_windows(system, seconds):
    sound = stereo(seconds)
    found = Separator(system).separate(sound, "extract the bell", sample_rate=8_000)
    np.testing.assert_allclose(found.target, 0.5 * sound, atol=1e-6)
    np.testing.assert_allclose(found.residual, 0.5 * sound, atol=1e-6)
    assert found.presence is None and found.mode == "mask" and found.samples == len(sound)


@pytest.mark.parametrize("rate", [8_000, 16_000, 11_025])
def test_target_and_rest_are_the_recording_at_its_own_rate(system, rate):
    sound = stereo(3.1, rate)
    (found,) = Separator(system).separate_many(
        [sound], ["extract the dog", "remove the dog"], sample_rate=rate
    )
    for result in found:
        assert result.target.shape == sound.shape and result.sample_rate == rate
        np.testing.assert_allclose(result.target + result.residual, sound, atol=1e-6)
    np.testing.assert_array_equal(found[0].target, found[1].residual)


def test_a_description_costs_its_rows_once(system):
    asked = ["extract the dog", "remove the dog", "extract the bell"]
    list(Separator(system).separate_many([stereo(1.0)], asked, sample_rate=8_000))
    assert system.rows == [4], "two descriptions of two channels"


def test_recordings_share_batches_and_may_have_other_channels(system):
    mono, two = stereo(0.8)[:, :1], stereo(0.5)
    found = Separator(system).separate_many([mono, two], ["extract the bell"], sample_rate=8_000)
    for sound, (result,) in zip([mono, two], found, strict=True):
        np.testing.assert_allclose(result.target, 0.5 * sound, atol=1e-6)
    assert system.rows == [3]


def test_files_of_any_length_are_streamed(system, tmp_path):
    sound = stereo(7.3, 16_000)
    write_audio(tmp_path / "in.wav", sound, 16_000, OutputOptions(bit_depth="float"))
    jobs = {
        tmp_path / "in.wav": [
            OutputFiles("remove the bell", tmp_path / "out.wav", tmp_path / "rest.wav")
        ]
    }
    ((report,),) = Separator(system).separate_files(jobs)
    assert not isinstance(report, Failed) and report.windows == 5
    out, rest = (read_audio(tmp_path / name).samples for name in ("out.wav", "rest.wav"))
    np.testing.assert_allclose(out + rest, sound, atol=1e-6)


def test_an_interrupted_file_goes_on(tmp_path):
    class Stopping(FakeMaskSystem):
        left = 1

        def separate(self, audio, query):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            return super().separate(audio, query)

    def separate(system):
        return Separator(system).separate_file(
            tmp_path / "in.wav",
            tmp_path / "out.wav",
            "remove the bell",
            state_path=tmp_path / "state",
        )

    sound = stereo(9.0)
    write_audio(tmp_path / "in.wav", sound, 8_000, OutputOptions(bit_depth="float"))
    with pytest.raises(KeyboardInterrupt):
        separate(Stopping(SHARES, batch=2))
    again = FakeMaskSystem(SHARES, batch=2)
    separate(again)
    out = read_audio(tmp_path / "out.wav").samples
    np.testing.assert_allclose(out, 0.5 * sound, atol=1e-6)
    assert sum(again.rows) < 2 * 6, "the first windows are kept"


def test_both_sides_of_a_crossfade_have_had_context(system):
    """A network that fails at the ends of windows does no harm inside a recording."""

    class Edgy(FakeMaskSystem):
        def separate(self, audio, query):
            out = super().separate(audio, query)
            out[:, :400], out[:, -400:] = 0.0, 0.0
            return out

    sound = stereo(9.0)
    found = Separator(Edgy(SHARES)).separate(sound, "extract the bell", sample_rate=8_000)
    inside = slice(400, -400)
    np.testing.assert_allclose(found.target[inside], 0.5 * sound[inside], atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"mode": "generate"},
            "mode generate does not apply to a bundle of the kind mask_separator",
        ),
        ({"temperature": 0.5}, "temperature 0.5 does not apply"),
        ({"min_presence": 0.5}, "min-presence 0.5 does not apply"),
        ({"windows": "continued"}, "windows continued does not apply"),
        ({"best_of": 3}, "best-of 3 does not apply"),
    ],
)
def test_options_of_generation_are_refused_in_a_line(system, changes, says):
    with pytest.raises(ValueError, match=says):
        Separator(system).separate(
            stereo(0.3), "extract the bell", sample_rate=8_000, options=SeparateOptions(**changes)
        )


def test_what_has_no_effect_may_be_given():
    check_options(SeparateOptions(seed=3, silence_gate=False, residual=False), "mask_separator")
    fields = set(SeparateOptions.__dataclass_fields__)
    assert fields >= set(GENERATIVE) and not {"seed", "residual"} & set(GENERATIVE)
