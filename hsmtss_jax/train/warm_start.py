"""A run that starts from a bundle's weights: fine-tuning, or public blocks under a new front end.

Where a tensor of the bundle belongs in the state is what the stage's ``release`` says, read backwards.
"""

import dataclasses
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.train.stage import Stage
from hsmtss_jax.train.state import TrainState

_NAMED = 4  # tensors named in an error


@dataclasses.dataclass(frozen=True)
class WarmStart:
    """Hold the fresh ``state`` with the bundle's tensors in it (and in the average, where one is kept).

    taken: their number. fresh: what stays as ``init`` made it; unused: the bundle's that ``match`` left
    out, both as the shortest paths that hold nothing else.
    """

    state: TrainState
    taken: int
    fresh: tuple[str, ...]
    unused: tuple[str, ...]


def warm_start(
    state: TrainState, shardings: Any, stage: Stage, bundle: Bundle, match: str = ""
) -> WarmStart:
    """Put tensors of a bundle into a fresh state.

    Args:
      state: the fresh state.
      shardings: of its leaves.
      stage: the stage that is trained.
      bundle: weights of a trained stage.
      match: regex that the names of the tensors to take contain; "" takes all.

    Raises:
      ValueError: a regex that is none or finds nothing; a tensor that has no place in the stage, or
        another shape there.
    """
    tensors = flatten_dict(bundle.params, sep="/")
    chosen = _chosen(tensors, match)
    places = _places(state, stage)
    _check(bundle, {name: tensors[name] for name in chosen}, places, _shapes(state))
    new = {places[name]: tensors[name] for name in chosen}

    def replace(state: TrainState, new: Mapping[str, jax.Array]) -> TrainState:
        def leaf(path: Any, old: jax.Array) -> jax.Array:
            name = _name(path)
            name = re.sub(r"^ema/", "params/", name)
            # A copy: the state is donated, and no buffer may be donated twice.
            return jnp.copy(new[name]).astype(old.dtype) if name in new else old

        return jax.tree_util.tree_map_with_path(leaf, state)

    started = jax.jit(replace, out_shardings=shardings)(state, new)
    fresh = {name for name in _shapes(state) if name.startswith("params/")} - new.keys()
    return WarmStart(
        state=started,
        taken=len(new),
        fresh=_prefixes((name.removeprefix("params/") for name in fresh), _without_root(new)),
        unused=_prefixes(tensors.keys() - chosen, chosen),
    )


def describe(start: WarmStart, bundle: Bundle, differing: Iterable[str]) -> str:
    """Say what was taken and what was not, on a line or a few."""
    lines = [f"started from {bundle.stage} {bundle.digest[:12]}: {start.taken} tensors"]
    for what, names in {
        "initialised afresh": start.fresh,
        "left in the bundle": start.unused,
        "settings that differ": differing,
    }.items():
        if listed := ", ".join(names):
            lines.append(f"  {what}: {listed}")
    return "\n".join(lines)


def _chosen(tensors: Mapping[str, Any], match: str) -> set[str]:
    try:
        found = {name for name in tensors if re.search(match, name)}
    except re.error as error:
        raise ValueError(
            f"run.init_match={match!r} is not a regular expression: {error}"
        ) from error
    if not found:
        raise ValueError(f"run.init_match={match!r} finds no tensor; one is {min(tensors)!r}")
    return found


def _places(state: TrainState, stage: Stage) -> dict[str, str]:
    """Map the bundle's name of a tensor to its path in the state, for all that the stage releases."""
    labels = jax.tree_util.tree_map_with_path(
        lambda path, _: _name(path), {"params": state.params, "aux": state.aux}
    )
    released = stage.release(labels["params"], labels["aux"])
    return {name: str(label) for name, label in flatten_dict(released, sep="/").items()}


def _shapes(state: TrainState) -> dict[str, tuple[int, ...]]:
    tree = {"params": state.params, "aux": state.aux}
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {_name(path): leaf.shape for path, leaf in leaves}


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")


def _check(
    bundle: Bundle,
    tensors: Mapping[str, np.ndarray],
    places: Mapping[str, str],
    shapes: Mapping[str, tuple[int, ...]],
) -> None:
    """Raise ValueError unless every tensor has its place, in its shape."""
    advice = "give the stage the bundle's settings, or take a part with run.init_match"
    if strangers := sorted(tensors.keys() - places.keys()):
        raise ValueError(f"{bundle.stage} has {_list(strangers)}, which this run has not: {advice}")
    for name, value in tensors.items():
        wanted = shapes[places[name]]
        if value.shape != wanted:
            raise ValueError(
                f"{name} of {bundle.stage} has shape {value.shape}, here it is {wanted}: {advice}"
            )


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _without_root(names: Iterable[str]) -> set[str]:
    return {name.partition("/")[2] for name in names}


def _prefixes(names: Iterable[str], others: Collection[str]) -> tuple[str, ...]:
    """Return the shortest paths that cover ``names`` and none of ``others``."""
    taken = {part for name in others for part in _ancestors(name)}
    return tuple(
        sorted({next(part for part in _ancestors(name) if part not in taken) for name in names})
    )


def _ancestors(name: str) -> list[str]:
    """Split "a/b/c" into ["a", "a/b", "a/b/c"]."""
    parts = name.split("/")
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]
