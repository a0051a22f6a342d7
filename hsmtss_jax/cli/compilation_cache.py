"""Keep compiled programs between commands."""

import os
from pathlib import Path

import jax


def enable_compilation_cache() -> None:
    """Keep compiled programs under the user's cache folder, unless JAX was told of another place.

    ``JAX_ENABLE_COMPILATION_CACHE=0`` turns it off.
    """
    if jax.config.values.get("jax_compilation_cache_dir"):
        return
    folder = compilation_cache()
    if folder is None:
        return  # a read-only home: compile every time
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def compilation_cache() -> Path | None:
    """Return the folder of compiled programs, made if need be; None where none can be written."""
    told = jax.config.values.get("jax_compilation_cache_dir")
    if told:
        return Path(told)
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = root / "hsmtss_jax" / "xla"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # nobody's home: a user id without an entry, HOME unset
        return None
    return folder if os.access(folder, os.W_OK) else None
