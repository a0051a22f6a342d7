"""Which bytes are samples, whatever the header says."""

import pytest

from hsmtss_jax.audio.io.layout import extent, is_open_end


@pytest.mark.parametrize(
    ("stated", "available", "more", "size", "word"),
    [
        (100, 100, False, 100, None),
        (100, 101, False, 100, None),
        (99, 100, False, 100, None),
        (0, 100, False, 100, None),
        (0, 100, True, 0, None),
        (40, 100, True, 40, None),
        (40, 100, False, 100, "counts 10 samples"),
        (0xFFFFFFFF, 103, False, 100, None),
        (0x7FFFF000, 100, False, 100, None),
        (104, 100, False, 100, "1 of 26"),
        (5_000_000_000, 100, False, 100, "of 1250000000"),
    ],
)
def test_extent(stated, available, more, size, word):
    got = extent(stated, available, 4, more=more)
    assert got.size == size
    assert (got.note is None) if word is None else word in (got.note or "")


def test_open_ends():
    assert all(map(is_open_end, (2**31 - 1, 2**31, 2**32 - 1, 2**32 - 45, 2**63 - 1, 2**64 - 1)))
    assert not any(map(is_open_end, (0, 1000, 2**31 + 5, 2**30, 5 * 2**30)))
