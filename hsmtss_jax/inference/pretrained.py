"""From the name of a bundle to a runtime: which bundle, in which type, on which device."""

import os
from typing import cast

from hsmtss_jax.bundles.hub import locate
from hsmtss_jax.bundles.pipeline import load_pipeline
from hsmtss_jax.dist import compute_dtype, find_device
from hsmtss_jax.inference.mask_runtime import MaskRuntime
from hsmtss_jax.inference.options import RuntimeOptions
from hsmtss_jax.inference.runtime import Runtime
from hsmtss_jax.inference.system import System

_SYSTEMS: dict[str, type[Runtime] | type[MaskRuntime]] = {
    "hsm_tss": Runtime,
    "mask_separator": MaskRuntime,
}


def hierarchical(system: System) -> Runtime:
    """Return a loaded system that must be hierarchical. Raises ValueError for another one."""
    if not is_hierarchical(system):
        pipeline = system.pipeline
        raise ValueError(
            f"{pipeline.path} is a bundle of the kind {pipeline.architecture}, which has no parts to look "
            "at: give a hierarchical one"
        )
    return cast(Runtime, system)


def is_hierarchical(system: System) -> bool:
    """Return whether a loaded system is one of the paper's, with parts to look at."""
    return bool(system.pipeline.architecture == "hsm_tss")


def load_runtime(
    source: str | os.PathLike[str] | None = None,
    dtype: str = RuntimeOptions.dtype,
    device: str | None = RuntimeOptions.device,
    batch: int = RuntimeOptions.batch,
) -> System:
    """Load a pipeline bundle, of whatever architecture. Raises ValueError or OSError.

    Args:
      source: the folder of a pipeline bundle, the hub id of one ("owner/name"), None: the demo bundle.
      dtype: auto (float32 on a CPU, else bfloat16) | float32 | bfloat16.
      device: a platform ("cpu", "gpu", "tpu"), with a number behind a colon for another than its first.
      batch: rows that are computed at once.
    """
    place = find_device(device)
    chosen = compute_dtype(dtype, place)
    pipeline = load_pipeline(locate(source))
    try:
        return _SYSTEMS[pipeline.architecture](pipeline, chosen, place, batch=batch)
    except (KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{pipeline.path} does not fit this version ({reason})") from error
