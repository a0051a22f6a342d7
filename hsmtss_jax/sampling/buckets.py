"""Few static shapes for calls of many sizes: each shape costs a compilation.

Legend: B batch, T frames.
"""

from collections.abc import Sequence


def round_up(size: int, sizes: Sequence[int]) -> int:
    """The smallest of ascending ``sizes`` that holds ``size``. Raises ValueError beyond the last."""
    for candidate in sizes:
        if size <= candidate:
            return candidate
    raise ValueError(f"{size} does not fit: the largest size is {sizes[-1]}")


def batch_sizes(most: int) -> tuple[int, ...]:
    """Powers of two below ``most``, and ``most``: a batch is padded by less than itself."""
    return (*(2**i for i in range(most.bit_length()) if 2**i < most), most)


def frame_sizes(most: int, parts: int = 4) -> tuple[int, ...]:
    """``parts`` equal steps up to ``most``, rounded up."""
    return tuple(sorted({-(-most * i // parts) for i in range(1, parts + 1)}))
