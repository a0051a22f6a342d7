"""The table of formats: suffixes are of one format, depths and rates lose as little as they can."""

import typing
from pathlib import Path

import pytest

from hsmtss_jax.audio.formats import FORMATS, format_of, nearest_depth, nearest_rate
from hsmtss_jax.audio.output import FormatName


def test_the_option_offers_every_format():
    assert set(typing.get_args(FormatName)) == set(FORMATS)


def test_a_suffix_is_of_one_format():
    suffixes = [suffix for form in FORMATS.values() for suffix in form.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert format_of(".FLAC") == "flac" and format_of(".xyz") is None and format_of("") is None


def test_every_format_has_an_encoder():
    for form in FORMATS.values():
        assert bool(form.sndfile) or (form.encoders and form.muxer)
        assert not form.sound or (form.video and not FORMATS[form.sound].video)


@pytest.mark.parametrize(
    ("form", "wanted", "given"),
    [
        ("wav", "24", "24"),
        ("wav", "ulaw", "ulaw"),
        ("flac", "24", "24"),
        ("flac", "32", "24"),
        ("flac", "float", "24"),
        ("flac", "8", "8"),
        ("flac", "ulaw", "16"),
        ("wv", "16", "float"),
    ],
)
def test_depths(form, wanted, given):
    assert nearest_depth(FORMATS[form].depths, wanted) == given


@pytest.mark.parametrize(("wanted", "given"), [(8000, 8000), (9000, 12000), (96000, 48000)])
def test_rates(wanted, given):
    assert nearest_rate((8000, 12000, 48000), wanted) == given
    assert nearest_rate((), wanted) == wanted


def test_the_manual_lists_every_format():
    page = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    for form in FORMATS.values():
        row = next(row for row in rows if form.title in row.split("|")[1].strip().split(", "))
        assert all(suffix in row for suffix in form.suffixes)
        assert "the same" in row or all(d in row for d in form.depths if "law" not in d)
