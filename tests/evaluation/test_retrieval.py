import numpy as np
import pytest

from hsmtss_jax.evaluation.retrieval import pair, rank, report, score

CAPTIONS = [["a dog barks", "dog"], ["Dog ", "a puppy"], ["rain"]]


def test_merged_duplicates_are_right_for_each_of_their_clips():
    pairs = pair(CAPTIONS)
    assert pairs.texts == ("a dog barks", "dog", "a puppy", "rain")
    expected = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]]
    np.testing.assert_array_equal(pairs.relevant, np.array(expected, bool))
    a, b, c = pairs.clip_groups
    assert a == b != c  # the first two share a caption: they are drawn together
    np.testing.assert_array_equal(pairs.text_groups, [a, a, a, c])


def test_separate_duplicates_are_right_for_their_own_clip_only():
    pairs = pair(CAPTIONS, merge=False)
    assert pairs.texts == ("a dog barks", "dog", "Dog ", "a puppy", "rain")
    np.testing.assert_array_equal(pairs.relevant.argmax(axis=1), [0, 0, 1, 1, 2])
    assert pairs.relevant.sum() == 5
    a, b, c = pairs.clip_groups
    np.testing.assert_array_equal(pairs.text_groups, [a, a, b, b, c])


def test_a_clip_needs_a_caption():
    with pytest.raises(ValueError, match="no caption"):
        pair([["rain"], []])


def test_both_directions_by_hand():
    """Audio-to-text takes the best of a clip's captions; text-to-audio counts each caption."""
    pairs = pair([["a", "b"], ["c"]])
    audio, text = np.eye(2), np.array([[1.0, 0.0], [0.2, 0.9], [0.0, 0.8]])
    rankings = rank(audio, text, pairs, ["first", "second"])
    np.testing.assert_array_equal(rankings["text_to_audio"].ranks, [1, 2, 1])
    np.testing.assert_array_equal(rankings["audio_to_text"].ranks, [1, 2])
    scores = {name: score(ranking) for name, ranking in rankings.items()}
    found = scores["text_to_audio"]
    assert found.recall[1].mean == pytest.approx(2 / 3) and found.recall[5].mean == 1
    assert (found.chance[1], found.median_rank, found.items) == (0.5, 1.0, 2)
    assert scores["audio_to_text"].chance[1] == pytest.approx((2 / 3 + 1 / 3) / 2)
    found = report(scores, rankings, {"data": "x"})
    assert "| text to audio | 66.7 [" in found.table()
    assert "| chance | 50.0 | 100.0 | 100.0 | 1 | - | - |" in found.table()
    document = found.to_json()
    assert document["rows"]["audio_to_text"][1] == {"query": "second", "rank": 2, "relevant": 1}


def test_identical_vectors_earn_nothing():
    captions = [[f"caption {i}"] for i in range(30)]
    pairs = pair(captions)
    same = np.ones((30, 4)) / 2
    for ranking in rank(same, same, pairs, ["x"] * 30).values():
        assert score(ranking).recall[10].mean == 0.0
