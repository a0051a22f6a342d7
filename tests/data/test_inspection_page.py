"""The page holds every number and needs no other file."""

from hsmtss_jax.data.inspection import draw_examples
from hsmtss_jax.data.inspection_page import render_page


def test_page_is_whole(config):
    examples = draw_examples(config, "test", 3, 8000)
    report = {"clips": {"hours": 1.5, "licences": {"<CC0>": 3}, "pairs": [["a", "b"]]}, "note": "x"}
    page = render_page("a & b", report, examples)
    assert page.startswith("<!doctype html>") and "a &amp; b" in page and "&lt;CC0&gt;: 3" in page
    assert page.count("data:audio/flac;base64,") == 9 and "http" not in page
    for each in examples:
        assert each.recipe.text in page
    assert "<audio" not in render_page("t", report, [])
