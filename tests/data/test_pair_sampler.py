"""Which clips are mixed: never alike, as similar as asked."""

import dataclasses

import numpy as np
import pytest

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.pair_sampler import PairSampler
from hsmtss_jax.data.sources import Clip, Part, overlaps


@dataclasses.dataclass
class Source:
    clips: list[Clip]

    @property
    def parts(self):
        return [Part(0, len(self.clips), 1.0)]


def clip(name, tags, events):
    return Clip(name, (name,), name, frozenset(tags), frozenset(events), 100)


CLIPS = [
    clip("dog", ["animal", "dog"], ["dog"]),
    clip("cat", ["animal", "cat"], ["cat"]),
    *(clip(f"engine {i}", ["machine", "engine"], ["engine"]) for i in range(20)),
    clip("walk", ["dog", "speech"], ["dog", "speech"]),
    clip("talk", ["speech"], ["speech"]),
]


def others(target=0, count=300, **changes):
    sampler = PairSampler(Source(CLIPS), DataConfig(balance=0.0, **changes))
    return [CLIPS[sampler.draw([target], np.random.default_rng(i))].id for i in range(count)]


def test_pairs_never_overlap():
    drawn = set(others())
    assert "walk" not in drawn and {"cat", "talk", "engine 3"} <= drawn
    for name in drawn:
        assert not overlaps(CLIPS[0], next(each for each in CLIPS if each.id == name))


def test_a_share_has_a_category_in_common():
    assert 20 < others().count("cat") + 20 < 50
    assert 120 < others(similar_probability=0.5).count("cat") < 190
    assert set(others(similar_probability=1.0)) == {"cat"}
    assert len(set(others(target=3, similar_probability=1.0))) > 2  # nothing is similar: any


def test_a_share_is_heard_together_elsewhere():
    assert set(others(companion_probability=1.0)) == {"talk"}  # dogs and speech share a clip
    assert 110 < others(companion_probability=0.5).count("talk") < 200


def test_shares_are_of_one_whole():
    with pytest.raises(ValueError, match="shares of one whole"):
        others(similar_probability=0.6, companion_probability=0.6)


def test_a_clip_that_fits_no_other_is_said():
    alike = [clip("d", ["dog"], ["dog"])] * 2
    with pytest.raises(ValueError, match="no clip to mix with 'd'"):
        PairSampler(Source(alike), DataConfig()).draw([0], np.random.default_rng(0))
