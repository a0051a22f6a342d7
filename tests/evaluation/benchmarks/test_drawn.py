"""Test sets of the paper's kind: sizes, ratios, lengths, no common tag, the same list every time."""

import numpy as np
import pytest

from hsmtss_jax.audio.io import write_audio
from hsmtss_jax.data.preparation.item import Item, Layout
from hsmtss_jax.evaluation.benchmarks.drawn import (
    PAPER_SETS,
    PaperSet,
    Source,
    draw_pairs,
    read_sources,
)
from hsmtss_jax.evaluation.benchmarks.mixing import Recordings, mix
from hsmtss_jax.evaluation.paper_tables import PRINTED

RATE = 8_000
SET = PaperSet(title="", sets=("dogs",), pairs=12, seconds=0.5)


@pytest.fixture
def folder(tmp_path):
    """Six recordings of 0.2 to 2 s, of three kinds."""
    for i, seconds in enumerate((0.2, 0.6, 0.8, 1.0, 1.5, 2.0)):
        time = np.arange(round(seconds * RATE)) / RATE
        write_audio(tmp_path / f"{i}.wav", 0.1 * np.sin(2 * np.pi * 200 * (i + 1) * time), RATE)
    return tmp_path


def source(i, *tags, group=""):
    return Source(f"{i}.wav", (f"sound {i}", f"noise {i}"), frozenset(tags), group or str(i))


def sources():
    return [source(i, ("dog", "rain", "bell")[i % 3]) for i in range(6)]


def test_sizes_and_rules(folder):
    rows = draw_pairs(SET, [sources()], folder)
    tags = {each.file: each.tags for each in sources()}
    assert len(rows) == 12 and len({row.name for row in rows}) == 12
    assert all(not tags[row.target] & tags[row.other] for row in rows)
    assert all(-15 <= row.snr_db <= 15 for row in rows)
    assert len({row.snr_db for row in rows}) == 12
    assert "0.wav" not in {row.target for row in rows} | {row.other for row in rows}  # too short
    assert {row.target for row in rows} == {f"{i}.wav" for i in range(1, 6)}
    assert all(row.text.split()[1] == row.target[0] for row in rows)


def test_pieces_lie_inside_their_recordings(folder):
    rows = draw_pairs(SET, [sources()], folder, seed=3)
    assert {row.seconds for row in rows} == {0.5}
    assert all(row.start + 0.5 <= 2.0 for row in rows) and len({row.start for row in rows}) > 3
    row = next(row for row in rows if row.target == "5.wav")
    mixed = mix(row, Recordings(folder, RATE))
    assert mixed.mixture.shape == (4_000,) and np.abs(mixed.target).min() < 0.1


def test_a_short_target_keeps_its_length(folder):
    long = PaperSet(title="", sets=("dogs",), pairs=5, seconds=10.0)
    rows = draw_pairs(long, [sources()], folder)
    assert {row.seconds for row in rows} == {0.6, 0.8, 1.0, 1.5, 2.0}
    own = PaperSet(title="", sets=("dogs",), pairs=4, seconds=0.0, lengths=(0.9, 1.6))
    assert {row.target for row in draw_pairs(own, [sources()], folder)} == {"3.wav", "4.wav"}


def test_the_same_list_every_time(folder):
    rows = draw_pairs(SET, [sources()], folder, seed=1)
    assert rows == draw_pairs(SET, [sources()], folder, seed=1)
    assert rows != draw_pairs(SET, [sources()], folder, seed=2)


def test_sets_have_equal_shares(folder):
    both = PaperSet(title="", sets=("a", "b"), pairs=40, seconds=0.5, sources=4)
    parts = [sources()[1:3], [source(3, "x"), source(4, "y"), source(5, "z")]]
    targets = {row.target for row in draw_pairs(both, parts, folder)}
    assert {"1.wav", "2.wav"} < targets and len(targets) == 4


def test_nothing_to_mix_with_is_said(folder):
    with pytest.raises(ValueError, match=r"wav has no other sound without a tag in common"):
        draw_pairs(SET, [[source(i, "dog") for i in range(6)]], folder)
    with pytest.raises(ValueError, match="no recording is 60 to 70 s long"):
        draw_pairs(PaperSet(title="", sets=("d",), lengths=(60, 70)), [sources()], folder)


def layouts(items):
    layout = Layout(name="x", title="", licence="", read=lambda place: iter(items(place)))
    return lambda name: layout


def test_sources_are_those_of_the_test_part(tmp_path):
    seen = []

    def items(place):
        seen.append(place.root)
        yield Item(id="a", split="test", path="a.wav", captions=("a dog barks loudly",))
        yield Item(id="b", split="train", path="b.wav", captions=("rain",))
        yield Item(id="c", split="test", path="c.wav", captions=("bell",), tags=("metal", "bell"))

    (found,) = read_sources(SET, tmp_path, find=layouts(items))
    assert [each.file for each in found] == ["a.wav", "c.wav"] and seen == [tmp_path]
    assert found[0].tags == {"dog", "bark"} and found[1].tags == {"metal", "bell"}
    three = read_sources(PAPER_SETS["3sets"], tmp_path, find=layouts(items))
    assert len(three) == 3 and seen[1:] == [tmp_path / n for n in ("audiocaps", "clotho", "fsd50k")]
    assert three[2][0].file == "fsd50k/a.wav"


def test_missing_recordings_are_named_or_left_out(tmp_path):
    def items(place):
        yield Item(id="a", split="test", path="a.wav", captions=("dog",), found=False)
        yield Item(id="b", split="test", path="b.wav", captions=("rain",))

    with pytest.raises(ValueError, match=r"lacks 1 of 2 recordings, such as a\.wav"):
        read_sources(SET, tmp_path, find=layouts(items))
    (found,) = read_sources(SET, tmp_path, skip_missing=True, find=layouts(items))
    assert [each.file for each in found] == ["b.wav"]


def test_the_paper_s_sets():
    assert {name: each.pairs for name, each in PAPER_SETS.items()} == {
        "3sets": 1000,
        "clotho": 500,
        "audiocaps": 500,
        "fsd50k": 500,
        "music": 500,
    }
    assert PAPER_SETS["music"].snr_db == 5.0
    assert {each.title for each in PAPER_SETS.values()} == set(PRINTED)
