"""Recipes as rows."""

import json

import pytest

from hsmtss_jax.data.channel import Channel
from hsmtss_jax.data.placement import Placement
from hsmtss_jax.data.recipe import EXTRACT, REMOVE, Layer, Recipe, read_recipe, recipe_row


def recipe(**changes):
    place = Placement(160, 800, (0, 900), 7)
    given = {
        "target": "a",
        "other": "b",
        "target_placement": place,
        "other_placement": Placement(0, 5),
    }
    words = {"caption_target": "a dog", "caption_other": "rain"}
    return Recipe(**{**given, "snr": 3.5, "task": EXTRACT, **words, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"task": REMOVE, "snr": None},
        {"layers": (Layer("c", Placement(0, 3, (5,)), -2.0),), "caption_absent": "a bell"},
        {"channel": Channel(5, (300.0, 3400.0), -20.0)},
    ],
)
def test_rows_hold_all_of_a_recipe(changes):
    written = recipe(**changes)
    row = json.loads(json.dumps(recipe_row(written)))
    assert read_recipe(row) == written and row["text"] == written.text
    assert row["task"] in ("extract", "remove")


def test_text_and_plain():
    assert recipe().text == "a dog" and recipe(task=REMOVE).text == "rain" and recipe().plain
    absent = recipe(caption_absent="a bell")
    assert absent.text == "a bell" and not absent.plain
    with pytest.raises(KeyError):
        read_recipe({"target": "a"})
