"""The page: nothing from outside, everything escaped, no larger than its limit."""

import re
from html.parser import HTMLParser

import pytest

from hsmtss_jax.evaluation.benchmarks.choice import Chosen
from hsmtss_jax.evaluation.benchmarks.page import Clip, Sound, data_uri, render_page, table_html
from hsmtss_jax.evaluation.scorers import SignalMetrics
from hsmtss_jax.evaluation.scores import report
from hsmtss_jax.metrics.tables import Column, Row, Table
from tests.evaluation.benchmarks.test_choice import score

VOID = {"meta", "img"}
SOUND = Sound(
    "mask", {"sdri": 1.25}, data_uri("audio/ogg", b"o" * 3000), data_uri("image/png", b"p")
)


class Structure(HTMLParser):
    """Keep open elements and all attributes; fail where an element is closed that is not open."""

    def __init__(self, html):
        super().__init__()
        self.open, self.attributes = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def clip(index, rank="worst", sounds=(SOUND,)):
    chosen = Chosen(index, "extract", rank, float(index))
    return Clip(chosen, f"p{index}", "<dog> & cat", 2.5, 8000.0, sounds)


@pytest.fixture
def made():
    scores = [score(i, float(i)) for i in range(4)]
    for each in scores:
        each.values["mel_psnr"] = 20.0
    return scores, report(scores, {"list": "<abc>"}, SignalMetrics.columns)


def page(made, clips, **options):
    scores, found = made
    return render_page("A & B", found, scores, clips, route="mask", metric="sdri", **options)


def test_it_needs_nothing_else_and_is_well_formed(made):
    found = page(made, [clip(0), clip(3, "best")])
    structure = Structure(found.html)
    assert structure.open == []
    places = [value for name, value in structure.attributes if name in ("src", "href")]
    assert places and all(place.startswith("data:") for place in places)
    assert "http" not in re.sub(r"data:[^']*", "", found.html)
    assert "A &amp; B" in found.html and "&lt;dog&gt; &amp; cat" in found.html
    assert "&lt;abc&gt;" in found.html and "<dog>" not in found.html


def test_clips_stand_under_their_ranks(made):
    html = page(made, [clip(0), clip(3, "best"), clip(1)]).html
    assert html.index("The worst") < html.index("pair p0") < html.index("pair p1")
    assert html.index("pair p1") < html.index("The best") < html.index("pair p3")
    assert "About the median" not in html and "1.25" in html


def test_the_limit_is_kept_and_told(made):
    empty = len(page(made, []).html)
    found = page(made, [clip(i) for i in range(5)], limit=(empty + 10_500) / 1e6)
    assert (found.clips, found.left_out) == (2, 3)
    assert "3 more clips do not fit" in found.html and len(found.html) < empty + 10_500


def test_clips_without_sounds_have_their_numbers(made):
    html = page(made, [clip(0, sounds=[Sound("mask", {"sdri": -7.5})])]).html
    assert "-7.50" in html and "<audio" not in html


def test_a_note_stands_at_its_sound(made):
    sound = Sound("mask", {}, SOUND.audio, SOUND.picture, "made anew")
    assert "made anew" in page(made, [clip(0, sounds=[sound])]).html


def test_tables_leave_empty_columns_out():
    table = Table([Column("a", "A"), Column("b", "B")], [Row("<r>", {"a": 1.0})], "T", "n")
    html = table_html(table)
    assert "<th>A</th>" in html and "<th>B</th>" not in html
    assert "&lt;r&gt;" in html and "<td>1.00</td>" in html and "<h3>T</h3>" in html
