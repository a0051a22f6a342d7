"""Training checkpoints: state, data position and config, kept by orbax. The only file that imports it.

A checkpoint is taken before the next batch is drawn, so state and data position belong together and a
resumed run repeats the straight one bit for bit.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grain
import grain.checkpoint
import jax
import orbax.checkpoint as ocp

from hsmtss_jax.config import DataConfig
from hsmtss_jax.conversion import to_dict
from hsmtss_jax.train.state import TrainState

_BEST = "best"
_FREE_DATA_FIELDS = ("root", "eval_examples", "text_cache")  # a resumed run may have others


class Checkpointer:
    """Keep a run's checkpoints: the last ``keep``, and beside them the best by validation metric."""

    def __init__(self, workdir: str | Path, keep: int = 3) -> None:
        policies = ocp.checkpoint_managers
        self.folder = Path(workdir).absolute() / "checkpoints"
        # orbax records metrics only when it is given a best_fn; the policy is what decides.
        options = ocp.CheckpointManagerOptions(
            best_fn=_score,
            preservation_policy=policies.AnyPreservationPolicy(
                [
                    policies.LatestN(max(keep, 1)),
                    policies.BestN(get_metric_fn=_score, n=1),
                ]
            ),
            create=False,
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        self._manager = ocp.CheckpointManager(self.folder, options=options)

    def latest(self) -> int | None:
        """Return the last saved step, or None."""
        return self._manager.latest_step()

    def steps(self) -> list[int]:
        """Return every saved step, ascending."""
        return sorted(self._manager.all_steps())

    def best(self) -> int | None:
        """Return the step with the smallest validation metric, or None when none was measured."""
        scores = {step: self._manager.metrics(step) for step in self._manager.all_steps(read=False)}
        measured = {
            step: score[_BEST] for step, score in scores.items() if score and _finite(score[_BEST])
        }
        return min(measured, key=lambda step: (measured[step], step)) if measured else None

    def save(
        self,
        step: int,
        state: TrainState,
        data: grain.DatasetIterator,
        config: Mapping[str, Any],
        metric: float | None = None,
    ) -> None:
        """Start saving (arrays are copied before this returns); a step already saved is left alone.

        Args:
          step: updates done.
          state: the training state.
          data: the iterator, before the next batch is drawn.
          config: the experiment and the upstream's digests, in plain JSON.
          metric: the validation metric that tells the best checkpoint, where it was measured.
        """
        if self._manager.latest_step() == step:
            return
        args = ocp.args.Composite(
            state=ocp.args.StandardSave(state),
            data=grain.checkpoint.CheckpointSave(data),
            config=ocp.args.JsonSave(dict(config)),
        )
        score = float("inf") if metric is None else float(metric)
        self._manager.save(step, args=args, metrics={_BEST: score}, force=True)

    def config(self, step: int) -> dict[str, Any]:
        """Read the config saved with a step."""
        restored = self._manager.restore(
            step, args=ocp.args.Composite(config=ocp.args.JsonRestore())
        )
        return restored["config"]

    def restore(
        self, step: int, abstract: TrainState, data: grain.DatasetIterator | None = None
    ) -> TrainState:
        """Restore the state at ``step``, placed as ``abstract`` (with shardings) says; move ``data`` there.

        Raises:
          ValueError: the state on disk has another structure.
        """
        items: dict[str, Any] = {"state": ocp.args.StandardRestore(abstract)}
        if data is not None:
            items["data"] = grain.checkpoint.CheckpointRestore(data)
        try:
            restored = self._manager.restore(step, args=ocp.args.Composite(**items))
        except (ValueError, KeyError, TypeError) as error:
            reason = str(error).strip().split("\n")[0]
            raise ValueError(
                f"checkpoint {step} in {self.folder} does not fit: {reason}"
            ) from error
        return restored["state"]

    def wait(self) -> None:
        """Wait until what was saved is on disk."""
        self._manager.wait_until_finished()

    def close(self) -> None:
        """Finish saving and let go of the folder."""
        self._manager.close()


def abstract_state(shapes: TrainState, shardings: Any) -> TrainState:
    """Join shapes and shardings into one tree, the target of ``restore``."""
    return jax.tree.map(
        lambda leaf, sharding: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding),
        shapes,
        shardings,
    )


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


def _score(metrics: Mapping[str, float]) -> float:
    return -metrics[_BEST]


def _finite(value: float) -> bool:
    return value == value and abs(value) != float("inf")
