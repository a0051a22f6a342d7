"""The query templates: each task's own, the description word for word."""

import pytest

from hsmtss_jax.instructions import TEMPLATES, queries, render
from hsmtss_jax.task import TASKS


@pytest.mark.parametrize("task", TASKS)
def test_templates_hold_the_description_word_for_word(task):
    assert len(set(queries(task, "x"))) == len(TEMPLATES[task]) >= 6
    for query in queries(task, 'a {dog} says "no"'):
        assert query.endswith('a {dog} says "no"')
    assert not set(TEMPLATES[task]) & set(TEMPLATES[task.opposite])


def test_numbers_go_round():
    count = len(TEMPLATES["extract"])
    assert render("extract", "rain", count + 1) == render("extract", "rain", 1)


def test_render():
    assert render("remove", "rain") == "Remove: rain"
    assert len(queries("extract", "rain")) == len(TEMPLATES["extract"])
    with pytest.raises(ValueError, match="unknown task"):
        render("mute", "rain")
    with pytest.raises(ValueError, match="unknown task"):
        queries("mute", "rain")
