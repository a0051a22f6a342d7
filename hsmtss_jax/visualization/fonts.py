"""Give the texts of a figure fonts that have their glyphs: prompts and file names come in any script."""

import functools
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontEntry

MISSING = "\N{REPLACEMENT CHARACTER}"
_BROAD = (  # names of fonts with many scripts or emoji, looked at first
    *("noto sans", "noto emoji", "cjk", "source han", "droid sans", "wenquanyi", "unifont"),
    *("arial unicode", "pingfang", "hiragino", "yu gothic", "malgun", "yahei", "nanum", "symbola"),
    *("segoe ui", "apple symbols", "geeza", "ipa", "takao", "freesans", "freeserif"),
)
_USELESS = (
    "last resort",
    "color emoji",
)  # boxes in place of glyphs; pictures, which Agg cannot draw
_HIDDEN = ("Cc", "Cf", "Cs")  # control and format characters, halves of pairs
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


class Drawable(NamedTuple):
    """Hold a text without what no font has, and the families that draw it beside the usual one."""

    text: str
    families: Sequence[str]


def fit_texts(figure: "Figure") -> None:
    """Let every text of a figure be drawn as it stands: no formulas, no missing glyphs."""
    from matplotlib.font_manager import findfont
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if "$" in text.get_text():
            text.set_parse_math(False)
        if text.get_text().isascii() and text.get_text().isprintable():
            continue
        usual = findfont(text.get_fontproperties())
        found = drawable(text.get_text(), _glyphs(str(usual)))
        text.set_text(found.text)
        if found.families:
            text.set_fontfamily([*text.get_fontfamily(), *found.families])


def drawable(
    text: str, glyphs: Iterable[int], fonts: Sequence["FontEntry"] | None = None
) -> Drawable:
    """Find fonts for what the usual one lacks.

    glyphs: code points of the usual font. fonts: to choose from, by default those of this machine.
    """
    has = set(glyphs)
    plain = "".join(map(_shown, text))
    lacking = {ord(each) for each in plain if not each.isspace()} - has
    families = []
    for font in (_fonts() if fonts is None else fonts) if lacking else ():
        covered = lacking & _glyphs(font.fname)
        if covered:
            families.append(font.name)
            lacking -= covered
        if not lacking:
            break
    drawn = "".join(MISSING if ord(each) in lacking else each for each in plain)
    return Drawable(drawn, families)


def _shown(character: str) -> str:
    """Return what is drawn of a character: nothing of marks that only change another's form."""
    if character == "\n":
        return character
    if character == "\t":
        return " "
    if unicodedata.name(character, "").startswith("VARIATION SELECTOR"):
        return ""
    return "" if unicodedata.category(character) in _HIDDEN or character in _JOINERS else character


@functools.cache
def _fonts() -> list["FontEntry"]:
    """Return a font of each family that may hold glyphs of other scripts, broad ones first."""
    from matplotlib.font_manager import fontManager

    upright = [
        entry
        for entry in fontManager.ttflist
        if entry.style == "normal" and not any(part in entry.name.lower() for part in _USELESS)
    ]
    families: dict[str, FontEntry] = {}
    for entry in sorted(upright, key=lambda entry: abs(_weight(entry) - 400)):
        families.setdefault(entry.name, entry)
    return sorted(families.values(), key=lambda entry: (_rank(entry.name), entry.name))


def _rank(name: str) -> int:
    return next((rank for rank, part in enumerate(_BROAD) if part in name.lower()), len(_BROAD))


def _weight(entry: "FontEntry") -> int:
    return entry.weight if isinstance(entry.weight, int) else 400


@functools.lru_cache(maxsize=4096)
def _glyphs(path: str) -> frozenset[int]:
    """Return the code points of a font that can be drawn at any size; none of one that cannot be read."""
    from matplotlib.font_manager import get_font

    try:
        font = get_font(path)
        return frozenset(font.get_charmap()) if font.scalable else frozenset()
    except (RuntimeError, OSError, ValueError):
        return frozenset()
