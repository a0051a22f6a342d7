"""Sizes that upstream bundles fix: left out of a config, filled in when a stage is built."""

import dataclasses
import typing
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from hsmtss_jax.config import INHERITED, StageConfig

T = TypeVar("T")
S = TypeVar("S", bound=StageConfig)


def inherit(config: T) -> T:
    """Return a network's config with None for every size that the stage's upstream bundles fix."""
    hints = typing.get_type_hints(type(config), include_extras=True)
    sizes = [name for name, hint in hints.items() if INHERITED in typing.get_args(hint)]
    return dataclasses.replace(config, **dict.fromkeys(sizes))  # type: ignore[type-var]


def with_sizes(config: S, upstream: Mapping[str, int]) -> S:
    """Return a stage's config whose ``model`` has the upstream's sizes, by field.

    Raises ValueError where the model gives another number.
    """
    model = getattr(config, "model")  # noqa: B009 - of every stage with one network
    for name, there in upstream.items():
        here = getattr(model, name)
        if here not in (None, there):
            raise ValueError(
                f"stage.model.{name}={here}, but the upstream bundle has {there}: leave it out (none)"
            )
    changed: dict[str, Any] = {"model": dataclasses.replace(model, **upstream)}
    return dataclasses.replace(config, **changed)


def as_trained(given: T | None, trained: T, path: str, free: Collection[str]) -> T:
    """Return the config of a network that goes on from an upstream bundle: ``trained`` where it is None.

    given: may differ in the fields ``free`` alone; ValueError where it does in another.
    """
    if given is None:
        return trained
    for field in dataclasses.fields(trained):  # type: ignore[arg-type]
        here, there = getattr(given, field.name), getattr(trained, field.name)
        if here != there and field.name not in free:
            raise ValueError(
                f"{path}.{field.name}={here}, but the upstream bundle has {there}: set {path} to none"
            )
    return given
