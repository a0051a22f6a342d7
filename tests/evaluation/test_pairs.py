import numpy as np

from hsmtss_jax.evaluation.pairs import pair_of
from hsmtss_jax.instructions import Instruction


def test_a_pair_asks_for_the_same_target_in_both_ways(examples):
    example = min(examples, key=lambda each: each.length)
    pair = pair_of(4, example, "recording")
    recipe = example.recipe
    assert pair.instructions == (
        Instruction("extract", recipe.caption_target),
        Instruction("remove", recipe.caption_other),
    )
    assert len(pair.mixture) == len(pair.target) == example.length < len(example.mixture)
    np.testing.assert_array_equal(pair.target, example.target[: example.length])
    assert (pair.index, pair.group, pair.snr_db) == (4, "recording", example.snr)
    assert pair_of(4, example).group == "4"
