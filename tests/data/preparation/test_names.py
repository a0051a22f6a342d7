"""Names become words, splits and file names."""

from hsmtss_jax.data.preparation import names


def test_names_become_words():
    assert names.spoken("Dog_barking-loud.2") == "dog barking loud 2"
    assert names.label_text("Ratchet_and_pawl") == "ratchet and pawl"
    assert names.label_text("Inside, small room") == "inside and small room"
    assert names.joined_labels(["belly laugh", "giggle"]) == "belly laugh,giggle"


def test_splits_are_drawn_by_name():
    splits = [names.drawn_split(f"clip {i}", validation=0.03, test=0.03) for i in range(2000)]
    assert 30 < splits.count("test") < 90 and 30 < splits.count("validation") < 90
    assert names.drawn_split("clip 1", validation=0.03, test=0.03) == splits[1]
    assert names.drawn_split("clip 1") == "train"


def test_names_of_a_segment():
    found = names.youtube_names("abc", 30.0, 40.0)
    assert {"abc", "Yabc", "abc_30", "abc_30_40", "abc_30000_40000", "abc_000030"} <= set(found)
    assert "abc_90_93.566667" in names.youtube_names("abc", 90.0, 93.566667)
