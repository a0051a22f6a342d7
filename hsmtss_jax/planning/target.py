"""Devices to compile for that are not here: a TPU slice by its own compiler, or pretended CPU devices."""

import dataclasses
import os
from typing import Any

import jax

from hsmtss_jax.planning.devices import DEVICES, chips_of, smallest_slice

_CORES = {"tpu-v4": {"chip_config_name": "megacore"}}  # a chip is one device, as in training


@dataclasses.dataclass(frozen=True)
class Target:
    """Hold devices to compile for. compiler: whose figures these are, in words for the reader."""

    device: str
    devices: list[Any]
    compiler: str
    topology: str = ""

    @property
    def platform(self) -> str:
        """Return what programs are traced for."""
        return "tpu" if DEVICES[self.device].slices else "gpu"


def find_target(device: str, chips: int, topology: str = "") -> Target:
    """Return devices of a kind (a key of ``DEVICES``) to compile for.

    topology: a TPU slice ("4x4"); "" is the smallest with so many chips.

    Raises:
      ValueError: a slice that is too small or none; more devices than can be pretended here.
    """
    if DEVICES[device].slices and has_tpu_compiler():
        name = topology or smallest_slice(device, chips)
        if chips_of(name) < chips:
            raise ValueError(f"slice {name} has {chips_of(name)} chips, the mesh takes {chips}")
        return Target(device, _slice(device, name), f"XLA:TPU for {device[4:]}:{name}", name)
    devices = jax.devices("cpu")
    if len(devices) < chips:
        raise ValueError(
            f"{len(devices)} CPU devices stand for {chips} here: set JAX_NUM_CPU_DEVICES={chips}"
        )
    missing = (
        "; its own compiler is not installed: pip install libtpu" if DEVICES[device].slices else ""
    )
    return Target(device, devices, f"XLA:CPU, on pretended devices{missing}")


def has_tpu_compiler() -> bool:
    """Return whether libtpu is installed (the extra ``tpu``); it needs no TPU to compile for one."""
    from importlib.util import find_spec

    return find_spec("libtpu") is not None


def _slice(device: str, name: str) -> list[Any]:
    os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")  # there is no metadata server to ask
    os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")
    from jax.experimental import topologies

    options: dict[str, Any] = _CORES.get(device, {})
    try:
        found = topologies.get_topology_desc(
            platform="tpu", topology_name=f"{device[4:]}:{name}", **options
        )
    except Exception as error:  # whatever the compiler raises for a name it does not know
        reason = str(error).strip().split("\n")[0]
        raise ValueError(f"no slice {device[4:]}:{name}: {reason}") from error
    return list(found.devices)
