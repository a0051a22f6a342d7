"""What makes a run the one that it was: settings that may not change when it is resumed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hsmtss_jax.config import DataConfig
from hsmtss_jax.conversion import to_dict

_FREE_DATA_FIELDS = (
    "root",
    "eval_examples",
    "text_cache",
    "workers",
)  # a resumed run may have others


def check_same_run(saved: Mapping[str, Any], current: Mapping[str, Any], workdir: Path) -> None:
    """Refuse to resume ``saved`` as ``current`` where that would mix two different runs.

    Both are {"experiment": config JSON, "upstream": digests}. Length, logging, learning rate and other
    settings that leave state and data order alone may change.

    Raises:
      ValueError: names the first setting that differs.
    """
    before, now = _identity(saved), _identity(current)
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            raise ValueError(
                f"{workdir} holds a run with {name}={before.get(name)}, not {now.get(name)}: "
                "choose another --workdir or restore the setting"
            )


def _identity(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a run cannot change half-way, by dotted name."""
    experiment = config["experiment"]
    whole = to_dict(DataConfig()) | experiment["data"]  # older checkpoints lack newer fields
    data = {key: value for key, value in whole.items() if key not in _FREE_DATA_FIELDS}
    flat = _dotted({"stage": experiment["stage"], "data": data})
    flat["run.seed"] = experiment["run"]["seed"]
    for name in ("init_from", "init_match"):  # absent from older checkpoints
        flat[f"run.{name}"] = experiment["run"].get(name, "")
    for group, optim in experiment["optim"].items():
        flat[f"optim.{group}.freeze"] = optim["freeze"]
        flat[f"optim.{group}.ema>0"] = optim["ema"] > 0
        flat[f"optim.{group}.amsgrad"] = optim.get("amsgrad", False)
    for name, digest in config["upstream"].items():
        flat[f"upstream.{name} (digest)"] = digest[:12]
    return flat


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """List "a.b: 1, here 2" for every setting that both configs have and that differs."""
    old, new = _dotted(before), _dotted(now)
    return [
        f"{name}: {old[name]}, here {new[name]}"
        for name in sorted(old.keys() & new.keys())
        if old[name] != new[name] and name != "name"
    ]


def _dotted(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _dotted(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
