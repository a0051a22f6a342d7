"""Clotho: five captions, names that begin with a space or hold a colon, Latin-1 metadata."""


def test_clips_captions_and_odd_names(copy):
    copy.prepare()
    clips = copy.clips
    assert {name: clip["split"] for name, clip in clips.items()} == {
        "development/Ambience Birds": "train",
        "development/Rain: a storm": "train",
        "development/Same": "train",
        "validation/Same": "validation",
        "evaluation/Santa Motor": "test",
    }
    birds = clips["development/Ambience Birds"]
    assert birds["captions"] == ["One, of development", "Two.", "Three.", "Four.", "Five."]
    assert birds["licence"] == "http://creativecommons.org/licenses/by/3.0/"
    assert birds["group"] == "freesound:327673" and birds["samples"] == 8000
    assert clips["development/Rain: a storm"]["group"] == "clotho:Rain: a storm"
