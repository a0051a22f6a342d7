"""A language model is asked in batches, each caption once, whatever happens in between."""

import json

import pytest

from hsmtss_jax.data.tagging.llm import LanguageModelTagger


class Model:
    """Answer with the last word of each caption; fail at call ``fail``."""

    def __init__(self, fail: int = 99) -> None:
        self.calls, self.fail = [], fail

    def __call__(self, messages):
        texts = [line.split(". ", 1)[1] for line in messages[1]["content"].splitlines()]
        self.calls.append(texts)
        if len(self.calls) == self.fail:
            raise ConnectionError("gone")
        return f"Here it is: {json.dumps([[text.split()[-1]] for text in texts])}."


def test_asked_in_batches_and_once(tmp_path):
    model = Model()
    tagger = LanguageModelTagger(model, tmp_path / "answers.jsonl", "m")
    texts = [f"caption {i} of rain" for i in range(25)]
    assert list(tagger.ask([*texts, texts[0]])) == [20, 25]
    assert [len(call) for call in model.calls] == [20, 5]
    assert tagger([texts[3]]).events == {"Rain"} and len(model.calls) == 2


def test_a_run_that_stopped_goes_on(tmp_path):
    texts = [f"caption {i} of rain" for i in range(45)]
    with pytest.raises(ConnectionError):
        list(LanguageModelTagger(Model(fail=3), tmp_path / "answers.jsonl", "m").ask(texts))
    with open(tmp_path / "answers.jsonl", "a") as file:
        file.write('{"model": "m", "te')  # a last line that was cut short
    again = Model()
    list(LanguageModelTagger(again, tmp_path / "answers.jsonl", "m").ask(texts))
    assert [len(call) for call in again.calls] == [5]
    other = Model()
    list(LanguageModelTagger(other, tmp_path / "answers.jsonl", "another").ask(texts[:1]))
    assert len(other.calls) == 1


def test_another_answer_is_a_line(tmp_path):
    tagger = LanguageModelTagger(lambda messages: '["rain"]', tmp_path / "a.jsonl", "m")
    with pytest.raises(ValueError, match="the model m gave no list of 1 lists, twice"):
        tagger(["rain"])
    assert not (tmp_path / "a.jsonl").exists()
