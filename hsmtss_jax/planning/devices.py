"""Accelerators that a training may be planned for: rates, memory, prices, the slices of TPUs."""

import dataclasses
import math
from collections.abc import Mapping

GIB = 2**30


@dataclasses.dataclass(frozen=True)
class DeviceKind:
    """Describe a chip.

    Attributes:
      title: its name.
      flops: its makers' peak in bfloat16, dense [FLOP/s].
      memory: of the chip [bytes].
      price: of an hour [USD]: a rounded list price, on demand; it differs by place and time.
      slices: of a TPU, the topologies that can be had, smallest first; () for a GPU.
    """

    title: str
    flops: float
    memory: float
    price: float
    slices: tuple[str, ...] = ()


_FLAT = ("2x2", "2x4", "4x4", "4x8", "8x8", "8x16", "16x16")
_CUBES = ("2x2x1", "2x2x2", "2x2x4", "2x4x4", "4x4x4", "4x4x8", "4x8x8", "8x8x8")
DEVICES: Mapping[str, DeviceKind] = {
    "a100": DeviceKind("NVIDIA A100 80 GB", 312e12, 80e9, 2.0),
    "h100": DeviceKind("NVIDIA H100 SXM", 989e12, 80e9, 3.0),
    "h200": DeviceKind("NVIDIA H200", 989e12, 141e9, 3.5),
    "tpu-v4": DeviceKind("TPU v4", 275e12, 32 * GIB, 3.2, _CUBES),
    "tpu-v5e": DeviceKind("TPU v5e", 197e12, 16 * GIB, 1.2, _FLAT),
    "tpu-v5p": DeviceKind("TPU v5p", 459e12, 95 * GIB, 4.2, _CUBES),
    "tpu-v6e": DeviceKind("TPU v6e", 918e12, 32 * GIB, 2.7, _FLAT),
}


def chips_of(name: str) -> int:
    """Return the number of chips of a topology: "4x4" is 16. Raises ValueError for what is none."""
    parts = name.split("x")
    if len(parts) not in (2, 3) or not all(part.isdigit() and int(part) for part in parts):
        raise ValueError(f"slice {name!r} is not of the form 4x4 or 2x2x4")
    return math.prod(map(int, parts))


def smallest_slice(device: str, chips: int) -> str:
    """Return the smallest topology of a TPU with so many chips. Raises ValueError where none has."""
    kind = DEVICES[device]
    for name in kind.slices:
        if chips_of(name) >= chips:
            return name
    raise ValueError(
        f"{kind.title} has no slice of {chips} chips: the largest is {kind.slices[-1]}"
    )
