"""Items go to JSON and back; a layout knows its parts."""

import pytest

from hsmtss_jax.data.preparation.item import Item, Layout, from_json, to_json


def test_items_go_to_json_and_back():
    item = Item(id="a", split="train", path="a.wav", captions=("a dog", "a cat"), start=1.5)
    assert from_json(to_json(item)) == item
    assert set(to_json(item)) == {"id", "split", "path", "captions", "start"}


def test_parts_of_a_layout():
    layout = Layout(name="x", title="", read=iter, licence="", parts=("a", "b", "c"), chosen=2)
    assert layout.choose(()) == ("a", "b")
    assert layout.choose(("c",)) == ("c",)
    with pytest.raises(ValueError, match="x has no part 'd': its parts are a, b, c"):
        layout.choose(("d",))
