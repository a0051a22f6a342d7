"""Finished or interrupted training runs, opened again from their checkpoints."""

import dataclasses
import json
from pathlib import Path

from hsmtss_jax.config import MeshConfig, from_json
from hsmtss_jax.train.checkpoint import Checkpointer, check_same_run
from hsmtss_jax.train.loop import Plan, prepare
from hsmtss_jax.train.state import TrainState


@dataclasses.dataclass(frozen=True)
class Run:
    """A run's plan on this machine's devices, and its state after ``step`` updates."""

    plan: Plan
    state: TrainState
    step: int


def open_run(workdir: Path, step: str = "latest") -> Run:
    """The run in ``workdir`` at a step: a number, latest or best. Its config rebuilds the stage.

    Raises:
      ValueError: no such checkpoint, or upstream bundles that changed since.
    """
    from hsmtss_jax.cli.train import make_stage
    from hsmtss_jax.stages import STAGES

    checkpointer = Checkpointer(workdir)
    try:
        number = _resolve(checkpointer, step, workdir)
        saved = checkpointer.config(number)
        stage_class = STAGES[saved["experiment"]["stage"]["name"]][0]
        config = from_json(json.dumps(saved["experiment"]), stage_class)
        plan = prepare(dataclasses.replace(config, mesh=MeshConfig()), make_stage(config))
        check_same_run(saved, plan.identity, workdir)
        plan = dataclasses.replace(plan, origin=saved.get("init_from", ""))
        return Run(plan, checkpointer.restore(number, plan.abstract), number)
    finally:
        checkpointer.close()


def _resolve(checkpointer: Checkpointer, step: str, workdir: Path) -> int:
    """ "latest", "best" or a number -> a saved step."""
    steps = checkpointer.steps()
    if not steps:
        raise ValueError(f"{workdir} holds no checkpoint yet")
    if step == "latest":
        return steps[-1]
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
