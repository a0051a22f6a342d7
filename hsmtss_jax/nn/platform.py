"""The platform that a program is traced for: the one it runs on, or one that is not here."""

import contextlib
import contextvars
from collections.abc import Iterator

import jax

_TRACED_FOR: contextvars.ContextVar[str | None] = contextvars.ContextVar("platform", default=None)


def platform() -> str:
    """Return the platform that is traced for: "cpu", "gpu", "tpu"; JAX's own where nothing was said."""
    return _TRACED_FOR.get() or jax.default_backend()


@contextlib.contextmanager
def tracing_for(name: str) -> Iterator[None]:
    """Trace programs for another platform than JAX's, to compile them for devices that are not here."""
    token = _TRACED_FOR.set(name)
    try:
        yield
    finally:
        _TRACED_FOR.reset(token)
