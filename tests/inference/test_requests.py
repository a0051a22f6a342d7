"""An instruction is asked beside its opposite, each once; a state is what its windows have told."""

import numpy as np
import pytest

from hsmtss_jax.audio.windows import plan_windows
from hsmtss_jax.bundles.pipeline import Calibration
from hsmtss_jax.inference.hearing import hear
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.outlets import ArraySink
from hsmtss_jax.inference.recording import open_recording
from hsmtss_jax.inference.requests import RecordingState, with_opposites
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.instructions import Instruction

RATE = 16_000
KEEP, DROP = Instruction("extract", "dog"), Instruction("remove", "dog")


def state_of(instructions, opposites=False, seconds=1.0, window=4000, overlap=1000):
    samples = np.random.default_rng(0).normal(size=(round(seconds * RATE), 1)) / 10
    heard = hear(open_recording(samples, RATE), RATE)
    plan = plan_windows(len(samples), window, overlap)
    state = RecordingState(0, heard, plan, instructions, opposites)
    return state, np.concatenate(list(heard.mono()))


def test_equal_instructions_are_asked_once():
    assert with_opposites([DROP, KEEP, DROP]) == [DROP, KEEP]
    state, _ = state_of([DROP, KEEP], opposites=True)
    assert state.generated == state.predicted == [DROP, KEEP]


def test_without_opposites_removing_still_asks_for_the_presence():
    alone, _ = state_of([DROP])
    assert alone.generated == [DROP] and alone.predicted == [DROP, KEEP]
    both, _ = state_of([DROP, KEEP])
    assert both.generated == both.predicted == [DROP, KEEP]


def test_what_a_survey_found_is_not_predicted_again():
    state, _ = state_of([DROP, KEEP])
    state.note(KEEP, 0.5, 0.25)
    state.surveyed, state.present = True, [0]
    state.note(KEEP, 0.1, 0.1)
    assert state.generated == state.predicted == [DROP]
    assert state.cosines == {KEEP: [(0.5, 0.25)]}


def test_blocks_are_written_and_measured_by_number():
    state, _ = state_of([DROP, KEEP])
    state.present = [1]
    sink = ArraySink(SeparateOptions())
    state.open(sink)
    block = Stems(np.full((RATE, 1), 0.25), np.full((RATE, 1), -0.5))
    state.write({1: block})
    state.stack.close()
    assert (state.samples, state.peaks) == (RATE, {1: 0.5})
    assert (state.writers[1].target.samples == 0.25).all()
    assert (state.meters[1].finish().values[:-1] == 1).all()


def test_windows_are_the_sound_at_working_level():
    state, sound = state_of([])
    windows = list(state.windows())
    assert len(windows) == state.plan.count == 5
    for window in windows:
        start = window.index * state.plan.hop
        np.testing.assert_allclose(
            window.audio[: window.used], sound[start : start + window.used], rtol=1e-6
        )
        assert not window.audio[window.used :].any()
    assert [window.last for window in windows] == [False] * 4 + [True]


def test_presence_is_that_of_the_extraction():
    state, _ = state_of([DROP])
    state.cosines = {DROP: [(0.9, 0.9)], KEEP: [(0.1, 0.1), (0.4, 0.2)]}
    assert float(state.presence(DROP, None)) == pytest.approx(0.3)
    calibrated = state.presence(DROP, Calibration(slope=10.0, bias=-3.0))
    assert float(calibrated) == pytest.approx(0.5)
