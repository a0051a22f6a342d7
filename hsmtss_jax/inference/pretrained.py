"""From a name to a system that is ready to run: which bundle, in which type, on which device."""

import os

from hsmtss_jax.bundles.hub import locate
from hsmtss_jax.bundles.pipeline import load_pipeline
from hsmtss_jax.dist import compute_dtype, find_device
from hsmtss_jax.inference.runtime import System


def load_system(
    source: str | os.PathLike[str] | None = None, dtype: str = "auto", device: str | None = None
) -> System:
    """source: the folder of a pipeline bundle, the hub id of one ("owner/name"), None: the demo bundle.

    dtype: auto (float32 on a CPU, else bfloat16) | float32 | bfloat16. device: a platform ("cpu",
    "gpu", "tpu"), with a number behind a colon for another than its first. Raises ValueError or OSError.
    """
    place = find_device(device)
    chosen = compute_dtype(dtype, place)
    pipeline = load_pipeline(locate(source))
    try:
        return System(pipeline, chosen, place)
    except (KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{pipeline.path} does not fit this version ({reason})") from error
