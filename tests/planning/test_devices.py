"""Chips and the slices that TPUs come in."""

import pytest

from hsmtss_jax.planning.devices import DEVICES, chips_of, smallest_slice


def test_slices_are_of_growing_size():
    for kind in DEVICES.values():
        sizes = [chips_of(name) for name in kind.slices]
        assert sizes == sorted(sizes)
        assert kind.flops > 1e14 and kind.memory > 1e10 and kind.price > 0


def test_the_smallest_slice_that_holds_the_mesh():
    assert smallest_slice("tpu-v5e", 5) == "2x4"
    assert smallest_slice("tpu-v5p", 16) == "2x2x4"
    with pytest.raises(ValueError, match="no slice of 257 chips: the largest is 16x16"):
        smallest_slice("tpu-v5e", 257)


@pytest.mark.parametrize("name", ["4", "4x", "ax4", "0x4", "1x2x3x4"])
def test_what_is_no_slice(name):
    with pytest.raises(ValueError, match="not of the form"):
        chips_of(name)
