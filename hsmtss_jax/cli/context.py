"""Give commands what they take from outside, so that a caller can put something else in its place."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hsmtss_jax.inference.system import System

LoadRuntime = Callable[[str | None, str, str | None, int], "System"]


def load_pretrained(source: str | None, dtype: str, device: str | None, batch: int) -> "System":
    """Load a pipeline bundle (a folder, a hub id, None: the demo's)."""
    from hsmtss_jax.inference.pretrained import load_runtime

    return load_runtime(source, dtype=dtype, device=device, batch=batch)


@dataclasses.dataclass(frozen=True)
class Context:
    """Hold what every command is given beside its options."""

    load_runtime: LoadRuntime = load_pretrained
