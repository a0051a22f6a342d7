"""Sizes that calls are rounded up to."""

import pytest

from hsmtss_jax.sampling import batch_sizes, frame_sizes, round_up


def test_batches_are_powers_of_two_up_to_the_largest():
    assert batch_sizes(16) == (1, 2, 4, 8, 16)
    assert batch_sizes(12) == (1, 2, 4, 8, 12)
    assert batch_sizes(1) == (1,)


def test_frames_are_quarters_of_a_window():
    assert frame_sizes(513) == (129, 257, 385, 513)
    assert frame_sizes(2) == (1, 2)


def test_sizes_are_rounded_up_and_never_down():
    assert [round_up(n, (1, 2, 4)) for n in (0, 1, 2, 3, 4)] == [1, 1, 2, 4, 4]
    with pytest.raises(ValueError, match="5 does not fit: the largest size is 4"):
        round_up(5, (1, 2, 4))
