"""Clips of no use are refused, with a reason; so are recordings that are held out."""

import numpy as np
import pytest

from hsmtss_jax.data.preparation.checks import Sieve, held_out_groups, refuse_audio
from hsmtss_jax.data.preparation.item import Item
from hsmtss_jax.testing.corpus import write_tiny_corpus


def test_what_is_silent_or_short():
    rng = np.random.default_rng(0)
    assert refuse_audio((3000 * rng.standard_normal(8000)).astype(np.int16)) == ""
    assert refuse_audio(np.zeros(8000, np.int16)) == "silent"
    assert refuse_audio(np.ones(100, np.int16)) == "too short: 0.006 s"
    assert refuse_audio(np.full(1000, 999, np.int16), rate=8000) == ""


def test_the_sieve_names_what_it_keeps_back():
    def item(name, **more):
        return Item(id=name, split=more.pop("split", "train"), path=f"{name}.wav", **more)

    sieve = Sieve(frozenset({"youtube:x"}))
    items = [
        item("a"),
        item("a"),
        item("b", found=False),
        item("c", group="youtube:x"),
        item("d", group="youtube:x", split="test"),
    ]
    assert [each.id for each in sieve.pass_on(items)] == ["a", "d"]
    assert [each.kind for each in sieve.left_out] == ["twice", "missing", "held out"]


def test_recordings_of_prepared_sets(tmp_path):
    root = write_tiny_corpus(tmp_path)
    assert isinstance(held_out_groups([root]), frozenset)
    with pytest.raises(FileNotFoundError, match="no prepared set with a validation or test"):
        held_out_groups([tmp_path / "nowhere"])
