"""Before and after, on mixtures with a held-out new sound and on mixtures of old ones."""

import pytest

from hsmtss_jax.adaptation.scores import compare
from hsmtss_jax.adaptation.sounds import prepare_sounds
from hsmtss_jax.inference import Separator


@pytest.fixture(scope="module")
def report(base, sounds, corpus, tmp_path_factory):
    """The report of a separator that did not change."""
    new = tmp_path_factory.mktemp("sets") / "new"
    prepare_sounds(sounds, None, new, 0.2)
    separator = Separator.from_pretrained(base)
    return compare(separator, separator, (new, corpus), 2, 40_960)


def test_a_table_for_new_and_one_for_old_sounds(report):
    assert [table.title for table in report.tables] == ["new sounds", "old sounds"]
    for table in report.tables:
        names = [row.name for row in table.rows]
        assert {"mixture, unprocessed", "before", "after", "after - before"} <= set(names)
        assert table.corner == "2 pairs"


def test_every_new_pair_has_a_new_sound(report):
    asked = {row["index"]: set() for row in report.rows["new sounds"]}
    for row in report.rows["new sounds"]:
        asked[row["index"]].add(row["text"])
    assert all(texts & {"a siren wails", "siren"} for texts in asked.values())
    old = {row["text"] for row in report.rows["old sounds"]}
    assert not old & {"a siren wails", "siren"}


def test_the_new_sound_is_kept_and_taken_away(report):
    asked = {(row["task"], row["text"]) for row in report.rows["new sounds"]}
    assert {task for task, text in asked if text in ("a siren wails", "siren")} == {
        "extract",
        "remove",
    }


def test_what_did_not_change_differs_by_nothing(report):
    for table in report.tables:
        (row,) = (row for row in table.rows if row.name == "after - before")
        assert row.cells["sdr"].mean == 0
