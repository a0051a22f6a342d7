"""Mesh, shardings and transfers on four fake devices."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax import dist
from hsmtss_jax.config import MeshConfig


@pytest.fixture(scope="module")
def mesh():
    return dist.make_mesh(MeshConfig(data=2, fsdp=2))


@pytest.mark.parametrize(
    ("data", "fsdp", "shape"),
    [(-1, 1, (4, 1)), (-1, 2, (2, 2)), (1, -1, (1, 4)), (2, 2, (2, 2)), (1, 1, (1, 1))],
)
def test_an_axis_of_minus_one_takes_what_is_left(data, fsdp, shape):
    mesh = dist.make_mesh(MeshConfig(data=data, fsdp=fsdp))
    assert (mesh.shape["data"], mesh.shape["fsdp"]) == shape


@pytest.mark.parametrize(("data", "fsdp"), [(-1, -1), (5, 1), (-1, 3), (-1, 8), (0, 1)])
def test_a_mesh_that_does_not_fit_is_refused(data, fsdp):
    with pytest.raises(ValueError, match=r"cannot both be -1|does not fit 4 devices"):
        dist.make_mesh(MeshConfig(data=data, fsdp=fsdp))


def test_large_parameters_are_split_along_their_largest_axis_that_divides(mesh):
    shapes = {"wide": (512, 1024), "odd": (511, 512), "small": (8, 8), "prime": (509, 521)}
    tree = {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in shapes.items()}
    specs = {name: tuple(s.spec) for name, s in dist.param_shardings(mesh, tree).items()}
    assert specs == {"wide": (None, "fsdp"), "odd": (None, "fsdp"), "small": (), "prime": ()}


def test_a_batch_is_split_over_all_devices(mesh):
    batch = dist.put_batch(mesh, {"x": np.arange(24.0).reshape(8, 3)})
    assert {shard.data.shape for shard in batch["x"].addressable_shards} == {(2, 3)}
    np.testing.assert_array_equal(dist.to_host(batch)["x"], np.arange(24.0).reshape(8, 3))


def test_a_replica_is_whole_everywhere(mesh):
    tree = dist.replicate(mesh, {"x": np.ones(3), "key": jax.random.key(0)})
    assert all(shard.data.shape == (3,) for shard in tree["x"].addressable_shards)
    assert len(tree["key"].sharding.device_set) == 4


def test_parts_of_a_batch_must_split_evenly(mesh):
    dist.check_batch(mesh, 16, accumulate=2)
    with pytest.raises(ValueError, match=r"data\.batch_size=12 must be a multiple .* 4 x 2"):
        dist.check_batch(mesh, 12, accumulate=2)


def test_networks_compute_in_float32_on_a_cpu():
    assert dist.compute_dtype() == jnp.float32
    assert dist.compute_dtype("bfloat16") == jnp.bfloat16
    assert dist.compute_dtype("auto", jax.devices()[0]) == jnp.float32
    with pytest.raises(ValueError, match="unknown dtype 'half': choose one of auto"):
        dist.compute_dtype("half")


def test_a_device_by_name():
    assert dist.find_device(None) is None
    assert dist.find_device("cpu:2") == jax.devices()[2]
    for absent in ("cpu:9", "gpu", "abacus", "cpu:x"):
        with pytest.raises(ValueError, match=f"no device '{absent}' here: there is cpu:0"):
            dist.find_device(absent)


def test_one_process_is_the_main_one_and_asks_nobody():
    assert dist.is_main() and dist.any_process(True) and not dist.any_process(False)


def test_platforms_that_are_not_here(monkeypatch):
    """JAX raises either, by the plugins that are installed."""
    assert dist.missing_platforms() is None
    for error in (RuntimeError("Unable to initialize backend"), AssertionError()):

        def absent(error=error, **options):
            raise error

        monkeypatch.setattr(jax, "local_devices", absent)
        with pytest.raises(ValueError, match=r"JAX_PLATFORMS=cpu: there is no such device here"):
            dist.find_device(None)


def test_what_runs_in_32_bits():
    zeros = dist.in_32_bits(lambda count: jnp.zeros(count))
    with jax.enable_x64(True):
        assert zeros(2).dtype == jnp.float32 and jnp.zeros(2).dtype == jnp.float64


@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_forked_process_is_told_not_to_compute():
    dist.check_process()
    child = os.fork()
    if not child:
        try:
            dist.check_process()
        except OSError as error:
            os._exit(7 if "spawn" in str(error) else 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    dist.check_process()
