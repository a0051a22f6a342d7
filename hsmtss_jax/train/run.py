"""Finished or interrupted training runs, opened again from their checkpoints."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

from hsmtss_jax.config import MeshConfig
from hsmtss_jax.conversion import from_json
from hsmtss_jax.train.checkpoint import Checkpointer
from hsmtss_jax.train.identity import check_same_run
from hsmtss_jax.train.plan import Plan, prepare
from hsmtss_jax.train.stage import Stage
from hsmtss_jax.train.state import TrainState


@dataclasses.dataclass(frozen=True)
class OpenedRun:
    """Hold a run's plan on this machine's devices, and its state after ``step`` updates."""

    plan: Plan
    state: TrainState
    step: int


def open_run(
    workdir: Path, stage_class: Callable[[str], type[Stage]], step: str = "latest"
) -> OpenedRun:
    """Open the run in ``workdir`` at a step: a number, latest or best. Its config rebuilds the stage.

    stage_class: from a stage's name to its class (``stages.stage_class``).

    Raises:
      ValueError: no such checkpoint, or upstream bundles that changed since.
    """
    checkpointer = Checkpointer(workdir)
    try:
        number = _resolve(checkpointer, step, workdir)
        checkpointer.verify(number)
        saved = checkpointer.config(number)
        found = stage_class(saved["experiment"]["stage"]["name"])
        config = from_json(json.dumps(saved["experiment"]), found.config_class)
        plan = prepare(dataclasses.replace(config, mesh=MeshConfig()), found.load(config))
        check_same_run(saved, plan.identity, workdir)
        plan = dataclasses.replace(plan, origin=saved.get("init_from", ""))
        return OpenedRun(plan, checkpointer.restore(number, plan.abstract), number)
    finally:
        checkpointer.close()


def _resolve(checkpointer: Checkpointer, step: str, workdir: Path) -> int:
    """Return the saved step that "latest", "best" or a number names."""
    steps = checkpointer.steps()
    if not steps:
        raise ValueError(f"{workdir} holds no checkpoint yet")
    if step == "latest":
        latest = checkpointer.latest()
        if latest is None:
            raise ValueError(
                f"{workdir} holds no checkpoint that is whole: hsmtss doctor {workdir}"
            )
        return latest
    if step == "best":
        best = checkpointer.best()
        if best is None:
            raise ValueError(f"{workdir} has no validated checkpoint: choose a --step of {steps}")
        return best
    if not step.isdigit() or int(step) not in steps:
        raise ValueError(
            f"no checkpoint {step} in {workdir}: choose latest, best or one of {steps}"
        )
    return int(step)
