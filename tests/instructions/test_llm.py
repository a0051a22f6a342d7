"""Language models as parsers: what counts as an answer, one retry, and the rules that say so."""

import json
import logging

import pytest

from hsmtss_jax.instructions import Instruction, parse, parser
from hsmtss_jax.instructions.llm import EXAMPLES, NoAnswerError, prompt, read_answer

TEXT = "Could you get the Dog's barking out of the way, and keep the rain?"
GOOD = '{"task": "extract", "description": "the rain"}'


def answers(*replies):
    """A model that gives these in turn; an exception is raised. Its calls are recorded."""
    calls = []

    def complete(messages):
        calls.append(messages)
        reply = replies[len(calls) - 1]
        if isinstance(reply, Exception):
            raise reply
        return reply

    complete.calls = calls
    return complete


def test_prompt_holds_the_examples_and_ends_with_the_request():
    messages = prompt("remove the rain")
    assert [message["role"] for message in messages[:3]] == ["system", "user", "assistant"]
    assert messages[-1] == {"role": "user", "content": "remove the rain"}
    for (text, task, description), answer in zip(EXAMPLES, messages[2::2], strict=True):
        assert read_answer(answer["content"], text, "x") == Instruction(task, description)
        assert parse(text) == Instruction(task, description)


@pytest.mark.parametrize(
    "answer",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"<think>maybe {{x}}</think>{GOOD} I hope that helps {{}}",
        '{"task": "EXTRACT", "description": " The   rain ", "why": "because"}',
    ],
)
def test_answers_that_hold(answer):
    found = read_answer(answer, TEXT, "local")
    assert (found.task, found.description.lower(), found.source) == ("extract", "the rain", "local")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "not a JSON object"),
        ("extract the rain", "not a JSON object"),
        ('{"task": "extract", "description": "the ra', "not a JSON object"),
        ('{"task": ' * 100_000, "not a JSON object"),
        ('["extract", "rain"]', "not a JSON object"),
        ('{"task": "extract"}', "lacks"),
        ('{"task": "extract", "description": ["rain"]}', "lacks"),
        ('{"task": "mute", "description": "rain"}', "not 'mute'"),
        ('{"task": "remove", "description": " the "}', "empty"),
        ('{"task": "remove", "description": "rain and thunder"}', "did not say: thunder"),
        ('{"task": "remove", "description": "dogs barking"}', "did not say: dogs"),
    ],
)
def test_answers_that_do_not(answer, reason):
    with pytest.raises(ValueError, match=reason):
        read_answer(answer, TEXT, "local")


def test_the_users_words_may_be_put_together():
    text = "I hear rain; and thunder too. Isolate both."
    answer = '{"task": "extract", "description": "the rain and the thunder"}'
    assert read_answer(answer, text, "x").description == "the rain and the thunder"


def test_a_good_answer_needs_one_call():
    model = answers(GOOD)
    found = parser("local", generate=model)(TEXT)
    assert found == Instruction("extract", "the rain") and len(model.calls) == 1
    assert found.as_dict() == {"task": "extract", "description": "the rain", "source": "local"}


def test_times_and_amounts_are_the_rules_own():
    model = answers('{"task": "remove", "description": "hum"}')
    found = parser("local", generate=model)("turn the hum down by 6 dB from 1:05 on")
    assert (found.source, found.limits) == ("local", "by 6dB, 1:05-end")
    other = answers('{"task": "extract", "description": "hum"}')
    found = parser("local", generate=other)("turn the hum down by 6 dB from 1:05 on")
    assert found.limits == "1:05-end"


def test_a_bad_answer_is_sent_back_once():
    model = answers("no idea", GOOD)
    assert parser("local", generate=model)(TEXT).source == "local"
    again = model.calls[1]
    assert again[-2] == {"role": "assistant", "content": "no idea"}
    assert "not a JSON object" in again[-1]["content"]


@pytest.mark.parametrize(
    ("replies", "calls", "reason"),
    [
        (("no", "still no"), 2, "not a JSON object"),
        (("no", '{"task": "remove", "description": "owl"}'), 2, "did not say: owl"),
        ((NoAnswerError("busy", again=True),) * 2, 2, "busy"),
        ((NoAnswerError("no room", again=False),), 1, "no room"),
    ],
)
def test_fall_back_says_so(caplog, replies, calls, reason):
    model = answers(*replies)
    with caplog.at_level(logging.WARNING):
        found = parser("local", generate=model)("remove the rain")
    assert found == Instruction("remove", "rain") and found.source == "rules"
    assert reason in found.note and "local" in found.note and found.note in caplog.text
    assert len(model.calls) == calls and json.loads(json.dumps(found.as_dict()))["note"]


def test_bad_text_reaches_no_model():
    model = answers()
    for text in ("", "x" * 2001):
        with pytest.raises(ValueError, match="instruction"):
            parser("local", generate=model)(text)
    assert not model.calls
