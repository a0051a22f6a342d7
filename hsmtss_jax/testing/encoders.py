"""Encoders with parts replaced by plain functions, for tests of what stands on them."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax

from hsmtss_jax.models.semantics import Encoders, Params

Function = Callable[..., Any]


@dataclasses.dataclass(frozen=True, eq=False)
class StubEncoders(Encoders):
    """Ask these functions where they are given: they take the arguments of the encoders' method."""

    local_fn: Function | None = None
    global_fn: Function | None = None
    raw_text_fn: Function | None = None

    def local(self, params: Params, audio: jax.Array) -> jax.Array:
        return (self.local_fn or super().local)(params, audio)

    def global_(self, params: Params, s: jax.Array) -> jax.Array:
        return (self.global_fn or super().global_)(params, s)

    def raw_text(self, params: Params, ids: jax.Array, mask: jax.Array) -> jax.Array:
        return (self.raw_text_fn or super().raw_text)(params, ids, mask)


def stub(encoders: Encoders, **functions: Function) -> StubEncoders:
    """Return ``encoders`` with ``local_fn``, ``global_fn`` or ``raw_text_fn`` in place of a network."""
    fields = {field.name: getattr(encoders, field.name) for field in dataclasses.fields(encoders)}
    return StubEncoders(**{**fields, **functions})
