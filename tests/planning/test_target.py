"""Devices to compile for that are not here."""

import jax
import pytest

from hsmtss_jax.planning.target import find_target, has_tpu_compiler

needs_libtpu = pytest.mark.skipif(not has_tpu_compiler(), reason="needs the tpu extra")


def test_cpu_devices_stand_for_gpus():
    target = find_target("h100", 4)
    assert target.devices[:4] == jax.devices("cpu")[:4] and target.platform == "gpu"
    assert target.compiler == "XLA:CPU, on pretended devices"
    with pytest.raises(
        ValueError, match="4 CPU devices stand for 8 here: set JAX_NUM_CPU_DEVICES=8"
    ):
        find_target("h100", 8)


@pytest.mark.skipif(has_tpu_compiler(), reason="for machines without libtpu")
def test_a_missing_compiler_is_told():
    assert "not installed: pip install libtpu" in find_target("tpu-v5e", 2).compiler


@needs_libtpu
@pytest.mark.extra
@pytest.mark.parametrize(
    ("device", "name", "chips"),
    [("tpu-v5e", "4x4", 16), ("tpu-v4", "2x2x1", 4), ("tpu-v5p", "2x2x2", 8)],
)
def test_a_slice_has_a_device_a_chip(device, name, chips):
    target = find_target(device, 2, name)
    assert len(target.devices) == chips and target.platform == "tpu"
    assert target.compiler == f"XLA:TPU for {device[4:]}:{name}"


@needs_libtpu
@pytest.mark.extra
def test_slices_that_are_none():
    with pytest.raises(ValueError, match="slice 2x2 has 4 chips, the mesh takes 5"):
        find_target("tpu-v5e", 5, "2x2")
    with pytest.raises(ValueError, match="no slice v5e:3x5"):
        find_target("tpu-v5e", 5, "3x5")
