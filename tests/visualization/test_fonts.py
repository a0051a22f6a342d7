"""Texts in any script are drawn: with fonts that have the glyphs, else with a sign for what is missing."""

import pytest
from matplotlib.font_manager import fontManager, get_font
from matplotlib.text import Text

from hsmtss_jax.visualization.canvas import new_figure, save_figure
from hsmtss_jax.visualization.fonts import MISSING, drawable

TEXTS = [
    "rain 雨 비",
    "مطر غزير",
    "🐕 barks 👩‍🚒",
    "עברית हिन्दी ไทย",
    "$x^{$ $",
    "a\tb\x07\ud800c",
    "{}\\%",
]
ASCII = range(32, 127)


@pytest.mark.parametrize("text", TEXTS)
def test_any_script_is_drawn_without_a_warning(tmp_path, text):
    """Warnings are errors here."""
    figure = new_figure(3, 2)
    axis = figure.subplots()
    axis.plot([0, 1], label=text)
    axis.set_title(text)
    figure.legend()
    save_figure(figure, tmp_path / "a.png", text)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_font_is_found_for_what_the_usual_one_lacks():
    font = next(each for each in fontManager.ttflist if each.name == "STIXGeneral")
    letter = chr(max(get_font(font.fname).get_charmap()))
    found = drawable(f"a{letter}", ASCII, [font])
    assert found == (f"a{letter}", ["STIXGeneral"])
    assert drawable("a", ASCII, [font]).families == []


def test_what_no_font_has_is_replaced():
    assert drawable("a雨\n🐕", ASCII, []) == (f"a{MISSING}\n{MISSING}", [])


def test_marks_that_only_change_a_form_are_left_out():
    assert (
        drawable("a\N{VARIATION SELECTOR-16}\N{ZERO WIDTH JOINER}\x1b\tb", ASCII, []).text == "a b"
    )


def test_fonts_that_cannot_be_read_are_passed_over(tmp_path):
    class Entry:
        name, fname = "gone", str(tmp_path / "gone.ttf")

    assert drawable("雨", ASCII, [Entry()]) == (MISSING, [])


def test_dollars_are_dollars(tmp_path):
    figure = new_figure(3, 2)
    figure.subplots().set_title("costs $5 or $6")
    save_figure(figure, tmp_path / "a.png")
    title = next(each for each in figure.findobj(Text) if "costs" in each.get_text())
    assert not title.get_parse_math()
