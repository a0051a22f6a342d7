"""Options as fields of dataclasses: what they promise is what is checked."""

import dataclasses
import math
from typing import Literal

import pytest

from hsmtss_jax.option import check, choices, option
from hsmtss_jax.task import Task


@dataclasses.dataclass(frozen=True)
class Options:
    share: float = option(0.5, "of it", low=0, high=1)
    rates: tuple[float, ...] = option((0.1,), "to try", low=0, above=True)
    count: int | None = option(None, "how many", low=1, high=2**31 - 1)
    mode: Literal["a", "b"] = option("a", "which one")

    def __post_init__(self):
        check(self)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"share": 1.5}, "share must be at least 0 and at most 1, got 1.5"),
        ({"share": math.nan}, "share must be at least 0"),
        ({"rates": (0.1, 0.0)}, "rates must be above 0, got 0.0"),
        ({"rates": (math.inf,)}, "rates must be above 0, got inf"),
        ({"count": 0}, "count must be at least 1 and at most 2147483647, got 0"),
        ({"mode": "c"}, "unknown mode 'c': choose one of a, b"),
    ],
)
def test_values_out_of_range(changes, said):
    with pytest.raises(ValueError, match=said):
        Options(**changes)


def test_ends_of_a_range_and_none_are_in_it():
    assert Options(share=0, count=1) and Options(share=1, count=None, mode="b")


def test_choices():
    assert choices(Literal["a", "b"] | None) == ("a", "b")
    assert choices(tuple[Literal["x"], ...]) == ("x",)
    assert choices(Task | None) == ("extract", "remove") and choices(int) == ()
