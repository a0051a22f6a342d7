"""A tagger is scored by the pairs of labels that it keeps apart."""

from hsmtss_jax.data.tagging.rules import RuleTagger
from hsmtss_jax.data.tagging.scoring import compare, kept_apart


def row(label, caption, *tags):
    return {"label": label, "captions": [caption], "tags": list(tags), "events": list(tags)}


ROWS = [
    row("bark", "a dog barks", "dog", "bark"),
    row("howl", "a dog howls", "dog", "howl"),
    row("rain", "rain", "rain"),
    row("shower", "a sudden deluge", "rain", "shower"),
    row("splash", "the dog splashes", "splash"),
]


def test_precision_and_recall():
    score, unknown = compare(ROWS, RuleTagger())
    assert score.right == 1 and list(score.missed) == [("rain", "shower")]
    assert set(score.needless) == {("bark", "splash"), ("howl", "splash")}
    assert score.precision == 1 / 3 and score.recall == 0.5 and unknown == ["shower"]


def test_clips_of_one_label():
    rows = [*ROWS, row("rain", "a downpour"), row("rain", "wet"), row("rain", "rain")]
    share, missed = kept_apart(rows, RuleTagger())
    assert share == 1 / 3 and ("rain", "wet") in missed
