"""Apply a module with a checked type of its output, which flax's own ``apply`` leaves open."""

from collections.abc import Mapping
from typing import Any, TypeVar

import flax.linen as nn
import jax

Out = TypeVar("Out")


def apply(
    module: nn.Module,
    variables: Mapping[str, Any],
    *args: Any,
    out: type[Out],
    dropout_key: jax.Array | None = None,
    **options: Any,
) -> Out:
    """Return ``module.apply(variables, *args, **options)``, which must be an ``out``.

    Args:
      module: unbound.
      variables: collections by name, such as {"params": ...}.
      *args: of the module's method.
      out: type of the output.
      dropout_key: random key of dropout; None where there is none.
      **options: keyword arguments of the method, or ``method``.

    Raises:
      TypeError: the output has another type.
    """
    rngs = None if dropout_key is None else {"dropout": dropout_key}
    result = module.apply(variables, *args, rngs=rngs, **options)
    if not isinstance(result, out):
        raise TypeError(
            f"{type(module).__name__} returned {type(result).__name__}, not {out.__name__}"
        )
    return result
