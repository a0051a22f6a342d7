"""``hsmtss visualize run``: a training run's panels, drawn and written as sound."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.cli.visualize.options import FigureOptions
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.train.run import OpenedRun
    from hsmtss_jax.train.stage import Panel


@dataclasses.dataclass(frozen=True, kw_only=True)
class VisualizeRunOptions:
    """Declare the command line of ``hsmtss visualize run``."""

    workdir: Path = argument("a workdir of hsmtss train")
    figure: FigureOptions = part(FigureOptions)
    step: str = option("latest", "a step, latest or best", metavar="STEP")
    batch: int = option(0, "which validation batch", low=0, metavar="N")


def run(options: VisualizeRunOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    if not (options.workdir / "checkpoints").is_dir():
        raise FileNotFoundError(f"{options.workdir} is not the workdir of a training run")
    from hsmtss_jax.audio.io import write_audio
    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache
    from hsmtss_jax.stages import stage_class
    from hsmtss_jax.train.run import open_run
    from hsmtss_jax.visualization.panels import save_images

    enable_compilation_cache()
    opened = open_run(options.workdir, stage_class, options.step)
    panels = _panels(opened, options.batch)
    output = options.figure.make_folder()
    images = {name: panel.value for name, panel in panels.items() if panel.kind == "image"}
    stage = opened.plan.config.stage.name
    save_images(output, images, f"{stage}, step {opened.step}, validation batch {options.batch}")
    print(output)
    for name, panel in panels.items():
        if panel.kind == "audio":
            path = output.with_name(f"{output.stem}_{name}.wav")
            write_audio(path, panel.value[:, None], panel.sample_rate)
            print(path)
    return 0


def _panels(run: "OpenedRun", number: int) -> "Mapping[str, Panel]":
    """Return the stage's panels on validation batch ``number``."""
    from itertools import islice

    from hsmtss_jax import dist
    from hsmtss_jax.config import Shard

    plan = run.plan
    batches = plan.stage.dataset("validation", Shard(), plan.config.run.seed)
    batch = next(islice(iter(batches), number, None), None)
    if batch is None:
        raise ValueError(f"there is no validation batch {number}: choose a smaller --batch")
    placed = dist.put_batch(plan.mesh, batch)
    return plan.stage.panels(plan.eval_inputs(run.state, placed))


COMMAND = Command(
    description="Run a training run's stage on validation examples and write its panels: one PNG with the "
    "images (AudioMAE: original, visible, filled in), and a WAV for each sound.",
    epilog="example: hsmtss visualize run runs/audio_mae -o panels.png",
    options=VisualizeRunOptions,
    run=run,
)
