"""Spans of time: phrases of requests, figures of options, and how they are written."""

import pytest

from hsmtss_jax.instructions.spans import (
    END,
    START,
    Moment,
    Span,
    clock,
    find,
    outside_of,
    read_span,
)


def said(text, loose=True):
    found = find(text, loose)
    return found.text, [str(span) for span in found.spans]


@pytest.mark.parametrize(
    ("text", "rest", "spans"),
    [
        ("remove the hum between 2 and 4 seconds", "remove the hum", ["0:02-0:04"]),
        ("remove the hum from 1 to 2 minutes please", "remove the hum please", ["1:00-2:00"]),
        ("mute the dog from 1:05 to 1:10.5", "mute the dog", ["1:05-1:10.5"]),
        ("from 1:05 on, keep the birds", "keep the birds", ["1:05-end"]),
        ("Starting at 30 s, drop the hiss", "drop the hiss", ["0:30-end"]),
        ("remove the hum 0:03-0:07", "remove the hum", ["0:03-0:07"]),
        ("remove the hum from second 5 to 9", "remove the hum", ["0:05-0:09"]),
        ("remove hum from 2 minutes 30 seconds to 1:00:00", "remove hum", ["2:30-1:00:00"]),
        ("remove hum from the start to 0:10", "remove hum", ["0:00-0:10"]),
        ("hum between 1 and 2 s and between 5 and 7 s", "hum", ["0:01-0:02", "0:05-0:07"]),
        ("hum except from 0:10 to 0:20", "hum", ["0:00-0:10", "0:20-end"]),
        ("keep the piano only between 2 and 3 s", "keep the piano", ["0:02-0:03"]),
    ],
)
def test_strict_phrases_are_read_everywhere(text, rest, spans):
    assert said(text, loose=False) == (rest, spans)


@pytest.mark.parametrize(
    ("text", "rest", "spans"),
    [
        ("remove the hum in the first half", "remove the hum", ["0:00-50%"]),
        ("remove the hum in the last 10 seconds", "remove the hum", ["end-0:10-end"]),
        ("remove the hum during the second minute", "remove the hum", ["1:00-2:00"]),
        ("remove the hum in the middle third", "remove the hum", ["33.333333%-66.666667%"]),
        ("remove the hum, but only in the last quarter", "remove the hum", ["75%-end"]),
        ("remove the hum until 0:30", "remove the hum", ["0:00-0:30"]),
        ("remove the hum after 3 s", "remove the hum", ["0:03-end"]),
        ("at 1:02:03 remove the cough", "remove the cough", ["1:02:03-1:02:04"]),
        ("the dog, not in the first ten seconds", "the dog", ["0:10-end"]),
    ],
)
def test_loose_phrases_are_read_in_requests(text, rest, spans):
    assert said(text) == (rest, spans)


def test_clocks_are_strict_and_halves_are_not():
    assert said("a bell until 0:30", loose=False) == ("a bell", ["0:00-0:30"])
    assert said("a bell in the first half", loose=False) == ("a bell in the first half", [])


@pytest.mark.parametrize(
    "text",
    [
        *("a tone from 100 to 200 Hz", "a 2 second beep", "the second violin", "a bell every 2 s"),
        *("three dogs", "a song at 120 bpm", "the first note", "one to two people talk"),
    ],
)
def test_no_spans(text):
    assert said(text) == (text, [])


def test_a_span_alone_stays():
    assert said("between 2 and 4 seconds") == ("between 2 and 4 seconds", [])


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2-4", "0:02-0:04"),
        (" 2 - 4.5 ", "0:02-0:04.5"),
        ("1:05-", "1:05-end"),
        ("-0:30", "0:00-0:30"),
        ("1:02:03..1:02:10", "1:02:03-1:02:10"),
        ("2s-4s", "0:02-0:04"),
        ("1 min - 90 s", "1:00-1:30"),
        ("50%-end", "50%-end"),
        ("end-10-end", "end-0:10-end"),
        ("end-10-", "end-0:10-end"),
        ("the first half", "0:00-50%"),
        ("from 1:05 on", "1:05-end"),
        ("last 10 seconds", "end-0:10-end"),
    ],
)
def test_options_are_read(text, written):
    span = read_span(text)
    assert str(span) == written and read_span(written) == span


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("4-2", "ends before it begins"),
        ("2-2", "ends before it begins"),
        ("50%-40%", "ends before it begins"),
        ("end-5", "ends before it begins"),
        ("110%-", "behind the end"),
        ("", "no span of time"),
        ("-", "no span of time"),
        ("5", "no span of time"),
        ("the rain", "no span of time"),
        ("between 4 and 2 seconds", "ends before it begins"),
    ],
)
def test_other_options_are_refused(text, says):
    with pytest.raises(ValueError, match=says):
        read_span(text)


def test_moments_depend_on_the_length():
    span = read_span("the last 10 seconds")
    assert [moment.at(60.0) for moment in span] == [50.0, 60.0]
    assert Moment(share=0.25).at(8.0) == 2.0 and END.at(8.0) == 8.0 and START.at(8.0) == 0.0


def test_the_outside_of_spans():
    spans = [Span(START, Moment(2.0)), Span(Moment(4.0), Moment(5.0))]
    assert outside_of(spans) == [Span(Moment(2.0), Moment(4.0)), Span(Moment(5.0), END)]


def test_clock():
    assert [clock(x) for x in (0, 2.5, 65, 3723, 3599.9996)] == [
        "0:00",
        "0:02.5",
        "1:05",
        "1:02:03",
        "1:00:00",
    ]
