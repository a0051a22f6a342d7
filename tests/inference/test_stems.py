"""The two sounds of one prompt."""

import dataclasses

import numpy as np
import pytest

from hsmtss_jax.inference.stems import Stems


def test_the_residual_is_there_only_where_it_is_made():
    assert Stems(np.zeros(3)).residual is None
    assert Stems("target", "residual").residual == "residual"


def test_a_pair_stays_what_it_is():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Stems(1).target = 2  # type: ignore[misc]
