"""``hsmtss train`` and ``python train.py``: a config file in, a workdir with a release bundle out."""

import argparse
import sys
from pathlib import Path

from hsmtss_jax.cli.messages import CommandParser
from hsmtss_jax.config import SIZES, ExperimentConfig, load_config, override, to_json


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss train",
        description="Train one stage. The same command again goes on where the run stopped.",
        epilog="example: python train.py local_separator --size demo "
        "--workdir runs/local run.steps=5000 optim.model.lr=3e-4",
    )
    parser.add_argument("config", help="a config: local_separator, say, or the path of a file")
    parser.add_argument("overrides", nargs="*", help="path.to.field=value, checked")
    parser.add_argument("--size", choices=SIZES, default="paper", help="[paper]")
    parser.add_argument("--workdir", help="where checkpoints, logs and the bundle go [runs/STAGE]")
    parser.add_argument("--set", action="append", default=[], help="the same as an override")
    parser.add_argument(
        "--print-config", action="store_true", help="show the resolved config, stop"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_intermixed_args(argv)
    config = load_config(args.config, args.size, ExperimentConfig)
    config = override(config, [*args.overrides, *args.set])
    if args.print_config:
        print(to_json(config))
        return 0
    workdir = Path(args.workdir or Path("runs") / config.stage.name)

    from hsmtss_jax import dist
    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.stages import load_stage
    from hsmtss_jax.train.loop import train

    enable_compilation_cache()
    dist.initialize(config.mesh)
    stage = load_stage(config)
    outcome = train(config, stage, workdir, quiet=args.quiet)
    if not args.quiet and dist.is_main():
        if outcome.finished:
            print(f"finished at step {outcome.step}: {workdir / 'bundle'}")
        else:
            print(
                f"stopped at step {outcome.step}, saved: the same command goes on", file=sys.stderr
            )
    return 0
