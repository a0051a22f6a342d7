"""Clips of a report: made again as they were scored, heard back, in turns of their ranks."""

import base64
import io

import numpy as np
import pytest
import soundfile

from hsmtss_jax.evaluation.benchmarks.choice import choose
from hsmtss_jax.evaluation.benchmarks.clips import encode, make_clips
from hsmtss_jax.evaluation.judging import judge
from hsmtss_jax.evaluation.routes import Function, Mixture, Target
from hsmtss_jax.evaluation.scorers import SignalMetrics
from tests.evaluation.sounds import make_pair

TASKS = ("extract", "remove")


def clips(scores, pairs, routes, **options):
    chosen = choose(scores, "theirs", "sdri", 3)
    drawn = {"draw": lambda sound, rate, top: b"%d" % len(sound), "level": lambda x, rate: 0.0}
    return list(make_clips(chosen, scores, pairs, routes, seed=5, **drawn | options))


@pytest.fixture
def run():
    pairs = [make_pair(i, tasks=TASKS) for i in range(3)]
    theirs = Function("theirs", lambda x, instruction, rate: 0.5 * x)
    routes = [Target(), Mixture(), theirs]
    return pairs, routes, list(judge(routes, pairs, [SignalMetrics()], seed=5))


def test_sounds_are_made_again(run):
    pairs, routes, scores = run
    worst, *_ = clips(scores, lambda index: pairs[index], routes)
    assert [sound.route for sound in worst.sounds] == ["target", "mixture", "theirs"]
    assert worst.seconds == 0.25 and worst.top_hz == 8_000 and worst.text in ("a tone", "noise")
    theirs = worst.sounds[2]
    assert theirs.note == "" and theirs.picture == "data:image/png;base64,NDAwMA=="
    content = base64.b64decode(theirs.audio.removeprefix("data:audio/ogg;base64,"))
    sound, rate = soundfile.read(io.BytesIO(content))
    expected = 0.5 * pairs[worst.chosen.index].mixture
    assert rate == 16_000 and len(sound) == len(expected)
    assert np.corrcoef(sound, expected)[0, 1] > 0.95


def test_a_sound_that_is_not_the_one_that_was_scored_says_so(run):
    pairs, routes, scores = run
    other = Function("theirs", lambda x, instruction, rate: np.roll(x, 3))
    worst, *_ = clips(scores, lambda index: pairs[index], [*routes[:2], other])
    assert "not quite as scored" in worst.sounds[2].note


def test_rows_that_cannot_be_made_have_numbers(run):
    pairs, routes, scores = run
    worst, *_ = clips(scores, lambda index: pairs[index], routes[:2])
    assert worst.sounds[2].audio == "" and "sdri" in worst.sounds[2].values
    bare, *_ = clips(scores, None, [])
    assert [sound.audio for sound in bare.sounds] == ["", "", ""] and bare.seconds == 0


def test_ranks_come_in_turns(run):
    *_, scores = run
    chosen = choose(scores, "theirs", "sdri", 6)
    drawn = {"draw": lambda *_: b"", "level": lambda *_: 0.0}
    found = make_clips(chosen, scores, None, [], seed=0, **drawn)
    assert [clip.chosen.rank for clip in found] == ["worst", "median", "best"] * 2


def test_any_rate_is_encoded_and_peaks_are_cut():
    sound, rate = soundfile.read(io.BytesIO(encode(np.full(3_200, 2.0, np.float32), 32_000)))
    assert rate == 48_000 and len(sound) == 4_800 and np.abs(sound).max() < 1.3
