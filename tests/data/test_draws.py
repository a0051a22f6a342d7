"""Recipes are drawn in one order, whoever places the clips."""

import dataclasses

import numpy as np

from hsmtss_jax.data.draws import Draws
from hsmtss_jax.data.placement import Placement
from hsmtss_jax.data.sources import ClipSource


@dataclasses.dataclass(frozen=True)
class Loud:
    placement: Placement
    level: float


class Fixed(Draws[Loud]):
    """Places a clip at 0; its level is its number."""

    def _place(self, index, rng):
        return Loud(Placement(0, 100), float(index))

    def _ratio(self, a, b):
        return a.level - b.level

    def _active_ratio(self, a, b):
        return a.level - b.level


def drawn(config, target, seed, **changes):
    setting = dataclasses.replace(config, **changes)
    draws = Fixed(ClipSource(config.root, "train"), setting, 8000, augmented=False, train=False)
    return draws.draw_recipe(target, np.random.default_rng(seed))


def test_pairs_are_drawn_until_the_ratio_fits(config):
    for seed in range(10):
        made = drawn(config, 12, seed, mix_mode="raw_reject", snr_db=(-4.0, 4.0))
        assert made.recipe.snr is None and abs(made.numbers[1] - 12) <= 4


def test_a_ratio_that_never_fits_is_set(config):
    made = drawn(config, 0, 0, mix_mode="raw_reject", snr_db=(5.0, 6.0))
    assert made.recipe.snr == 5.0


def test_numbers_and_places_are_in_order(config):
    made = drawn(config, 3, 1, sources=(4, 4))
    assert made.numbers[0] == 3 and [each.level for each in made.placed] == made.numbers
    assert len(made.recipe.layers) == 2 and len(set(made.numbers)) == 4
