"""What an inspection says of a data set with known contents."""

import numpy as np
import pytest

from hsmtss_jax.data import inspection
from hsmtss_jax.data.sources import Clip, ClipSource
from hsmtss_jax.testing.corpus import tone

L = 16_000


def test_a_split_is_described(tiny_corpus):
    source = ClipSource(tiny_corpus, "train")
    told = inspection.inspect_split(source, range(len(source)))
    assert (told["clips"], told["labels"], told["events"], told["measured"]) == (24, 8, 8, 24)
    assert told["hours"] == pytest.approx(
        sum(c.samples for c in source.clips) / 16_000 / 3600, abs=1e-3
    )
    assert told["seconds"]["least"] < 0.3 < 3.2 < told["seconds"]["most"] <= 4
    assert told["licences"] == {"CC0-1.0": 24} and told["captions a clip"]["median"] == 3
    assert told["silent"] == 0 and told["clipped"] == 0
    assert -40 < told["active level [dB]"]["median"] < 0
    assert sum(told["most frequent templates"].values()) <= 1 and told["templates"] < told["texts"]


@pytest.mark.parametrize(
    ("label", "low", "high"),
    [("low tone", 150, 400), ("high tone", 2600, 3500), ("noise", 7900, 8001)],
)
def test_bandwidth(label, low, high):
    sound = np.round(tone(label, L, np.random.default_rng(0)) * 20_000).astype(np.int16)
    assert low <= inspection.bandwidth(sound) <= high
    assert inspection.bandwidth(np.zeros(500, np.int16)) == 0


def test_templates_leave_the_sound_out():
    clip = Clip("x", (), "dog barking", frozenset(), frozenset({"dog"}), 10)
    assert inspection.template("The sound of a dog barking.", clip) == "the sound of a _"
    assert inspection.template("rain falls", clip) == "rain falls"


def test_mixtures_are_described(config):
    examples = inspection.draw_examples(config, "test", 16, L)
    clips = {clip.id: clip for clip in ClipSource(config.root, "test").clips}
    told = inspection.inspect_mixtures(examples, clips)
    assert told["mixtures"] == sum(told["tasks"].values()) == 16
    assert told["common events"] == 0 and told["common captions"] == 0 and told["absent"] == 0
    assert sum(told["SNR of active parts [dB]"].values()) == 16
    assert told["sounds"] == {2: 16}


def test_histogram_counts_all():
    assert inspection.histogram([-99.0, -1.0, 0.0, 4.9, 99.0]) == {
        "-inf to -30": 1,
        "-5 to 0": 1,
        "0 to 5": 2,
        "30 to inf": 1,
    }
    assert inspection.quantiles([]) == {}


def test_recordings_in_two_splits_are_found(tiny_corpus):
    train = ClipSource(tiny_corpus, "train")
    found = inspection.shared_recordings({"train": train, "test": train}, 8)
    assert found and all(each["correlation"] > 0.9 for each in found[:1])
    names = {name.split(": ")[0] for each in found for name in each["clips"]}
    assert names == {"train", "test"}
