import numpy as np
import pytest

from hsmtss_jax.metrics.retrieval import best_ranks, chance_median_rank, chance_recall


def test_ranks_by_hand():
    similarity = np.array([[0.9, 0.1, 0.5], [0.2, 0.8, 0.3], [0.7, 0.6, 0.5]])
    np.testing.assert_array_equal(best_ranks(similarity, np.eye(3, dtype=bool)), [1, 1, 3])


def test_a_wrong_item_that_ties_goes_first():
    own = np.eye(4, dtype=bool)
    np.testing.assert_array_equal(best_ranks(np.zeros((4, 4)), own), [4, 4, 4, 4])
    np.testing.assert_array_equal(best_ranks([[0.5, 0.5, 0.1, 0.0]], own[:1]), [2])


def test_the_best_of_several_right_items_counts():
    relevant = np.array([[True, False, True, False]])
    assert best_ranks([[0.1, 0.9, 0.8, 0.2]], relevant) == [2]
    assert best_ranks([[0.9, 0.5, 0.9, 0.2]], relevant) == [1]  # right ones do not bar each other


@pytest.mark.parametrize(
    ("similarity", "relevant", "said"),
    [
        (np.zeros((2, 3)), np.ones((3, 2), bool), "equal"),
        ([[np.nan, 0.0]], [[True, False]], "NaN"),
        ([[1.0, 0.0]], [[False, False]], "no relevant item"),
    ],
)
def test_bad_input(similarity, relevant, said):
    with pytest.raises(ValueError, match=said):
        best_ranks(similarity, relevant)


def test_chance_by_hand():
    np.testing.assert_allclose(chance_recall([1, 2, 4], 4, 1), [0.25, 0.5, 1.0])
    np.testing.assert_allclose(chance_recall([1, 2], 4, 2), [0.5, 1 - 1 / 6])
    np.testing.assert_allclose(chance_recall([1], 4, 10), [1.0])
    assert chance_median_rank([1], 100) == 50
    assert chance_median_rank([2], 4) == 1


def test_random_scores_reach_chance():
    rng = np.random.default_rng(0)
    relevant = np.zeros((2000, 20), bool)
    relevant[:, :3] = True
    ranks = best_ranks(rng.normal(size=(2000, 20)), relevant)
    assert np.mean(ranks <= 5) == pytest.approx(chance_recall([3], 20, 5)[0], abs=0.03)
    assert np.median(ranks) == pytest.approx(chance_median_rank([3], 20), abs=1)
