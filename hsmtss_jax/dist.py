"""Devices, hosts, mesh, shardings and host-to-device transfer: the only file that names mesh axes.

The mesh is ``(data, fsdp)``. The batch axis of every array is split over both; a large parameter is
split over ``fsdp`` along its largest divisible axis, a small one is replicated.
"""

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from hsmtss_jax.config import MeshConfig
from hsmtss_jax.rendezvous import meet

Tree = Any
Function = TypeVar("Function", bound=Callable[..., Any])
_AXES = ("data", "fsdp")
_PROCESSES: list[int] = []  # the one in which a system was loaded; forked ones inherit it


def initialize(config: MeshConfig) -> None:
    """Join the other hosts, when the config says there are any.

    Raises:
      ValueError: an option that goes with others is missing, or has no sense.
      TimeoutError: others did not come in time; the text says which.
    """
    if not config.multi_host or jax.distributed.is_initialized():
        return
    given = (bool(config.coordinator), config.processes > 0, config.process >= 0)
    if any(given) and not all(given):
        raise ValueError(
            "mesh.coordinator, mesh.processes and mesh.process go together: give all three, or none where "
            "the cluster is known (SLURM, TPU, Kubernetes, MPI)"
        )
    if config.process >= config.processes and all(given):
        raise ValueError(
            f"mesh.process={config.process}: processes count from 0 to {config.processes - 1}"
        )
    if all(given):
        meet(config.coordinator, config.processes, config.process, config.timeout)
    try:
        jax.distributed.initialize(
            coordinator_address=config.coordinator or None,
            num_processes=config.processes or None,
            process_id=config.process if config.process >= 0 else None,
            initialization_timeout=config.timeout,
        )
    except ValueError as error:
        raise ValueError(
            f"this is no cluster that is known ({error}): give mesh.coordinator=HOST:PORT, "
            "mesh.processes=N and mesh.process=0 to N-1"
        ) from error


def make_mesh(config: MeshConfig, devices: list[jax.Device] | None = None) -> Mesh:
    """Create the ``(data, fsdp)`` mesh over ``devices`` (default: all; the first ones when it is smaller).

    Raises:
      ValueError: the axes ask for more devices than there are, or leave some over unasked.
    """
    devices = list(jax.devices()) if devices is None else devices
    data, fsdp = config.data, config.fsdp
    if data == -1 and fsdp == -1:
        raise ValueError("mesh.data and mesh.fsdp cannot both be -1")
    if data == -1:
        data = len(devices) // max(fsdp, 1)
    if fsdp == -1:
        fsdp = len(devices) // max(data, 1)
    whole = -1 in (config.data, config.fsdp) or config.multi_host
    if data < 1 or data * fsdp > len(devices) or (whole and data * fsdp != len(devices)):
        raise ValueError(
            f"mesh.data={config.data} mesh.fsdp={config.fsdp} does not fit {len(devices)} devices"
        )
    devices = devices[: data * fsdp]
    # Linen's Dropout fails under the default, AxisType.Explicit.
    auto = (AxisType.Auto,) * len(_AXES)
    return jax.make_mesh((data, fsdp), _AXES, axis_types=auto, devices=devices)


def compute_dtype(name: str = "auto", device: jax.Device | None = None) -> Any:
    """Return the type that networks compute in: float32, bfloat16, or "auto".

    auto is bfloat16 on an accelerator and float32 on a CPU, where bfloat16 products are emulated and many
    times slower. device: the default one for None. Raises ValueError for another name.
    """
    platform = jax.default_backend() if device is None else device.platform
    types = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}
    types["auto"] = types["float32" if platform == "cpu" else "bfloat16"]
    if name not in types:
        raise ValueError(f"unknown dtype {name!r}: choose one of auto, float32, bfloat16")
    return types[name]


def in_32_bits(function: Function) -> Function:
    """Decorate a function to run without JAX's 64-bit types, whatever the calling program enabled."""

    @functools.wraps(function)
    def run(*args: Any, **options: Any) -> Any:
        with jax.enable_x64(False):
            return function(*args, **options)

    return run  # type: ignore[return-value]


def check_process() -> None:
    """Raise OSError in a process that was forked off one that computes: JAX would hang there."""
    if not _PROCESSES:
        _PROCESSES.append(os.getpid())
    if _PROCESSES[0] != os.getpid():
        raise OSError(
            "JAX was started before this process was forked, and would hang: load the model in the new "
            'process, started by multiprocessing.get_context("spawn"), or use threads'
        )


def missing_platforms() -> str | None:
    """Return a line where JAX finds none of the platforms that JAX_PLATFORMS names, else None."""
    platforms = jax.config.values.get("jax_platforms")
    try:
        jax.local_devices()
    except (RuntimeError, AssertionError):
        return (
            f"JAX_PLATFORMS={platforms}: there is no such device here: unset it, or set it to cpu"
        )
    return None


def find_device(name: str | None) -> jax.Device | None:
    """Return the jax device "cpu", "gpu", "tpu" or "gpu:1"; None is the default.

    Raises:
      ValueError: there is no such device, or none that JAX_PLATFORMS allows.
    """
    if missing := missing_platforms():
        raise ValueError(missing)
    if name is None:
        return None
    platform, _, number = name.partition(":")
    try:
        devices = jax.local_devices(backend=platform)
        return devices[int(number or 0)]
    except (RuntimeError, IndexError, ValueError) as error:
        here = ", ".join(f"{device.platform}:{device.id}" for device in jax.local_devices())
        raise ValueError(f"no device {name!r} here: there is {here}") from error


def replicated(mesh: Mesh) -> NamedSharding:
    """Return the sharding that holds the whole array on every device."""
    return NamedSharding(mesh, PartitionSpec())


def batch_sharding(mesh: Mesh) -> NamedSharding:
    """Return the sharding that splits axis 0 over all devices."""
    return NamedSharding(mesh, PartitionSpec(_AXES))


def param_shardings(mesh: Mesh, tree: Tree, shard_from: int = MeshConfig.shard_from) -> Tree:
    """Return a sharding for each leaf of an (abstract) tree of parameters or optimiser state.

    Leaves of at least ``shard_from`` elements are split, smaller ones replicated.
    """

    def sharding(leaf: Any) -> NamedSharding:
        return NamedSharding(mesh, _param_spec(mesh, leaf, shard_from))

    return jax.tree.map(sharding, tree)


def _param_spec(mesh: Mesh, leaf: Any, shard_from: int) -> PartitionSpec:
    parts = mesh.shape["fsdp"]
    axes = [axis for axis, size in enumerate(leaf.shape) if size % parts == 0]
    if parts == 1 or leaf.size < shard_from or not axes:
        return PartitionSpec()
    axis = max(axes, key=lambda axis: leaf.shape[axis])
    return PartitionSpec(*(None,) * axis, "fsdp")


def check_batch(mesh: Mesh, batch_size: int, accumulate: int = 1) -> None:
    """Raise ValueError unless each of ``accumulate`` parts splits evenly over the devices."""
    if batch_size % (mesh.size * accumulate):
        raise ValueError(
            f"data.batch_size={batch_size} must be a multiple of devices x run.accumulate = "
            f"{mesh.size} x {accumulate}"
        )


def put_batch(mesh: Mesh, batch: Mapping[str, np.ndarray]) -> dict[str, jax.Array]:
    """Build global arrays, axis 0 split over all devices, of this process's examples."""
    sharding = batch_sharding(mesh)
    with jax.transfer_guard_host_to_device("allow"):  # over processes it counts as unasked for
        return {
            name: jax.make_array_from_process_local_data(sharding, np.asarray(value))
            for name, value in batch.items()
        }


def replicate(mesh: Mesh, tree: Tree) -> Tree:
    """Put a tree of host arrays (or keys), the same on all processes, on every device."""
    return jax.tree.map(lambda leaf: _replicate(mesh, leaf), tree)


def _replicate(mesh: Mesh, leaf: Any) -> jax.Array:
    """Put one leaf: over several processes only numpy arrays may be put, and a key as its numbers."""
    if jax.process_count() == 1:
        return jax.device_put(leaf, replicated(mesh))
    if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        data = np.asarray(jax.random.key_data(leaf))
        impl = jax.random.key_impl(leaf)
        return jax.random.wrap_key_data(jax.device_put(data, replicated(mesh)), impl=impl)
    return jax.device_put(np.asarray(leaf), replicated(mesh))


def put_params(mesh: Mesh, tree: Tree, shard_from: int = MeshConfig.shard_from) -> Tree:
    """Put a tree of host arrays, the same on all processes, on the devices as ``param_shardings`` says."""
    return jax.device_put(tree, param_shardings(mesh, tree, shard_from))


def any_process(flag: bool) -> bool:
    """Return whether ``flag`` is set on any process. Every process must call it at the same point."""
    if jax.process_count() == 1:
        return flag
    return bool(np.any(multihost_utils.process_allgather(np.asarray(flag))))


def from_main(number: int) -> int:
    """Return the main process's number. Every process must call it at the same point."""
    if jax.process_count() == 1:
        return number
    return int(multihost_utils.broadcast_one_to_all(np.int32(number)))


def to_host(tree: Tree) -> Tree:
    """Return a tree of (sharded) arrays as numpy, whole on every process."""
    if jax.process_count() == 1:
        return jax.device_get(tree)
    return multihost_utils.process_allgather(tree, tiled=True)


def is_main() -> bool:
    """Return whether this is the process that writes reports and bundles."""
    return jax.process_index() == 0
