"""``hsmtss visualize run``: a training run's panels, drawn and written as sound."""

import argparse
from pathlib import Path

from hsmtss_jax.cli.messages import CommandParser


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss visualize run",
        description="Runs a training run's stage on validation examples and writes its panels: one PNG "
        "with the images (AudioMAE: original, visible, filled in), and a WAV for each sound.",
    )
    parser.add_argument("workdir", type=Path, help="a workdir of hsmtss train")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the PNG to write")
    parser.add_argument("--step", default="latest", help="a step, latest or best [latest]")
    parser.add_argument("--batch", type=int, default=0, help="which validation batch [0]")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    if not (args.workdir / "checkpoints").is_dir():
        raise FileNotFoundError(
            f"{args.workdir} is not the workdir of a training run, and no task of hsmtss visualize"
        )
    if args.batch < 0:
        raise ValueError("--batch must be 0 or more")
    from hsmtss_jax.audio.io import write_audio
    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.stages import stage_class
    from hsmtss_jax.train.run import open_run
    from hsmtss_jax.visualization.panels import save_images

    enable_compilation_cache()
    run = open_run(args.workdir, stage_class, args.step)
    panels = _panels(run, args.batch)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    images = {name: panel.value for name, panel in panels.items() if panel.kind == "image"}
    title = f"{run.plan.config.stage.name}, step {run.step}, validation batch {args.batch}"
    save_images(args.output, images, title)
    print(args.output)
    for name, panel in panels.items():
        if panel.kind == "audio":
            path = args.output.with_name(f"{args.output.stem}_{name}.wav")
            write_audio(path, panel.value[:, None], panel.sample_rate)
            print(path)
    return 0


def _panels(run, number: int):  # type: ignore[no-untyped-def]
    """The stage's panels on validation batch ``number``."""
    from itertools import islice

    from hsmtss_jax import dist
    from hsmtss_jax.train.stage import Shard

    plan = run.plan
    batches = plan.stage.dataset("validation", Shard(), plan.config.run.seed)
    batch = next(islice(iter(batches), number, None), None)
    if batch is None:
        raise ValueError(f"there is no validation batch {number}: choose a smaller --batch")
    placed = dist.put_batch(plan.mesh, batch)
    return plan.stage.panels(plan.eval_inputs(run.state, placed))
