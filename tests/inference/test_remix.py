"""Sounds are limited to spans of time and to an amount; target and residual stay the recording."""

import numpy as np
import pytest

from hsmtss_jax.inference.recording import open_recording
from hsmtss_jax.inference.remix import FADE, Part, Remix, envelope, find_parts
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.instructions import Instruction, InstructionWarning
from hsmtss_jax.instructions.amounts import read_amount
from hsmtss_jax.instructions.spans import read_span

RATE = 1000
SOUND = np.random.default_rng(0).normal(size=(5 * RATE, 2)).astype(np.float32)
WANTED = 0.25 * SOUND + 0.1


def remixed(task, *, span="", amount="100%", sums=True, residual=True, sizes=(700,)):
    """Target and residual [5000, 2] of a recording of 5 s, rendered in blocks of these sizes."""
    recording = open_recording(SOUND, RATE)
    spans = tuple(read_span(each) for each in span.split(",") if each)
    remix = Remix(recording, sums)
    remix.limit(0, Instruction(task, "rain", spans=spans, amount=read_amount(amount)))
    done, found = 0, []
    while done < len(SOUND):
        size = min(sizes[len(found) % len(sizes)], len(SOUND) - done)
        wanted = WANTED[done : done + size]
        rest = SOUND[done : done + size] - wanted if residual else None
        found.append(remix({0: Stems(wanted, rest)})[0])
        done += size
    target = np.concatenate([block.target for block in found])
    if not residual:
        assert all(block.residual is None for block in found)
        return target, None
    return target, np.concatenate([block.residual for block in found])


INSIDE = slice(2 * RATE + 20, 4 * RATE - 20)
OUTSIDE = np.r_[0 : 2 * RATE, 4 * RATE : 5 * RATE]


@pytest.mark.parametrize("sizes", [(700,), (1, 999, 64), (5000,)])
def test_removal_leaves_the_recording_untouched_outside_the_span(sizes):
    target, residual = remixed("remove", span="2-4", sizes=sizes)
    np.testing.assert_array_equal(target[OUTSIDE], SOUND[OUTSIDE])
    assert not residual[OUTSIDE].any()
    np.testing.assert_allclose(target[INSIDE], WANTED[INSIDE], rtol=1e-6)
    np.testing.assert_allclose(target + residual, SOUND, atol=1e-6)


def test_extraction_is_silent_outside_the_span():
    target, residual = remixed("extract", span="2-4")
    assert not target[OUTSIDE].any()
    np.testing.assert_array_equal(residual[OUTSIDE], SOUND[OUTSIDE])
    np.testing.assert_allclose(target[INSIDE], WANTED[INSIDE], rtol=1e-6)


@pytest.mark.parametrize("task", ["extract", "remove"])
def test_an_amount_takes_a_share_of_the_unwanted_away(task):
    target, residual = remixed(task, amount="20dB")
    np.testing.assert_allclose(target, WANTED + 0.1 * (SOUND - WANTED), atol=1e-6)
    np.testing.assert_allclose(residual, 0.9 * (SOUND - WANTED), atol=1e-6)


def test_louder_is_a_gain_on_the_wanted():
    target, residual = remixed("extract", amount="+20dB")
    np.testing.assert_allclose(target, SOUND + 9 * WANTED, atol=1e-5)
    np.testing.assert_allclose(target + residual, SOUND, atol=1e-5)


def test_an_amount_in_a_span_leaves_the_rest_of_the_recording():
    target, _ = remixed("extract", amount="6dB", span="2-4")
    np.testing.assert_array_equal(target[OUTSIDE], SOUND[OUTSIDE])


def test_without_a_residual():
    with_residual, _ = remixed("remove", span="2-4", amount="50%")
    target, _ = remixed("remove", span="2-4", amount="50%", residual=False)
    np.testing.assert_array_equal(target, with_residual)


def test_generated_sounds_keep_their_own_residual():
    """It does not add up with the target; outside the span one of them is the recording."""
    recording = open_recording(SOUND, RATE)
    mono = SOUND.mean(axis=1, keepdims=True)
    wanted, rest = np.full((5 * RATE, 1), 0.5), np.full((5 * RATE, 1), 0.25)
    for task, target, residual in [("remove", mono, 0 * mono), ("extract", 0 * mono, mono)]:
        remix = Remix(recording, sums=False)
        remix.limit(0, Instruction(task, "rain", spans=(read_span("2-4"),)))
        found = remix({0: Stems(wanted, rest)})[0]
        np.testing.assert_allclose(found.target[INSIDE], 0.5)
        np.testing.assert_allclose(found.residual[INSIDE], 0.25)
        np.testing.assert_allclose(found.target[OUTSIDE], target[OUTSIDE], atol=1e-6)
        np.testing.assert_allclose(found.residual[OUTSIDE], residual[OUTSIDE], atol=1e-6)


def test_what_is_not_limited_passes_as_it_is():
    remix = Remix(open_recording(SOUND, RATE), sums=True)
    remix.limit(0, Instruction("remove", "rain"))
    remix.limit(1, Instruction("remove", "rain", spans=(read_span("2-4"),)))
    whole, limited = Stems(WANTED), Stems(WANTED)
    found = remix({0: whole, 1: limited})
    assert found[0] is whole and (found[1].target != WANTED).any()


def test_borders_are_faded_within_the_span():
    places = np.arange(1000)
    inside = envelope([Part(100, 300), Part(900, 1000)], places, 15, 1000)
    assert not inside[:100].any() and not inside[300:900].any()
    np.testing.assert_allclose(inside[100:115], np.arange(1, 16) / 15, rtol=1e-6)
    assert (inside[114:286] == 1).all() and (inside[915:] == 1).all()
    assert (np.abs(np.diff(inside)) <= 1 / 15 + 1e-6).all() and FADE == 0.015


def test_a_short_span_is_faded_over_its_halves():
    inside = envelope([Part(10, 14)], np.arange(20), 15, 100)
    np.testing.assert_allclose(inside[9:15], [0, 0.5, 1, 1, 0.5, 0])


def parts(*spans, start=0.0, end=None):
    recording = open_recording(SOUND, RATE, start, end)
    return find_parts(recording, [read_span(span) for span in spans])


def test_parts_are_in_order_and_apart():
    assert parts("3-4", "1-2", "1.5-2.5") == [(1000, 2500), (3000, 4000)]
    assert parts("the first half", "end-1-") == [(0, 2500), (4000, 5000)]
    assert parts("the last 10 seconds") == [(0, 5000)]


def test_times_are_those_of_the_file():
    assert parts("2-4", start=1.0) == [(1000, 3000)]
    assert parts("2-4", start=3.0, end=3.5) == [(0, 500)]
    assert parts("50%-", start=1.0, end=4.0) == [(1500, 3000)]
    with pytest.raises(ValueError, match="outside the part that is separated, 0:03-0:05"):
        parts("1-2", start=3.0)


def test_what_lies_behind_the_end():
    with pytest.raises(
        ValueError, match="0:07-0:08 lies outside the recording, which ends at 0:05"
    ):
        parts("7-8")
    with pytest.warns(InstructionWarning, match="goes on to the recording's end at 0:05"):
        assert parts("4-8") == [(4000, 5000)]


def test_what_lies_far_from_all_spans_is_out_of_reach():
    remix = Remix(open_recording(SOUND, RATE), sums=True)
    remix.limit(0, Instruction("remove", "rain", spans=(read_span("2-3"),)))
    remix.limit(1, Instruction("remove", "dog", spans=(read_span("1-1.5"), read_span("4-"))))
    remix.limit(2, Instruction("remove", "cat"))
    assert remix.reach([0], 100) == (1900, 3100)
    assert remix.reach([0, 1], 100) == (900, 5000)
    assert remix.reach([0, 2], 100) == remix.reach([2], 0) == (0, 5000)
