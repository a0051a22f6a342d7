"""``hsmtss train`` and ``python train.py``: a config file in, a workdir with a release bundle out."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from hsmtss_jax.bundles.bundle import Bundle, check_upstream, load_bundle
from hsmtss_jax.cli.messages import CommandParser
from hsmtss_jax.config import SIZES, ExperimentConfig, load_config, override, to_json
from hsmtss_jax.train.stage import Stage


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss train",
        description="Train one stage. The same command again goes on where the run stopped.",
        epilog="example: python train.py configs/local_separator.py --size demo "
        "--workdir runs/local run.steps=5000 optim.model.lr=3e-4",
    )
    parser.add_argument("config", help="a config file, for instance configs/local_separator.py")
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
    from hsmtss_jax.train.loop import train

    enable_compilation_cache()
    allow_worker_processes()
    dist.initialize(config.mesh)
    stage = make_stage(config)
    outcome = train(config, stage, workdir, quiet=args.quiet)
    if not args.quiet and dist.is_main():
        if outcome.finished:
            print(f"finished at step {outcome.step}: {workdir / 'bundle'}")
        else:
            print(
                f"stopped at step {outcome.step}, saved: the same command goes on", file=sys.stderr
            )
    return 0


def make_stage(config: ExperimentConfig) -> Stage:
    """The stage of a config, with its upstream bundles loaded and checked against one another.

    Raises:
      ValueError: unknown stage, an upstream bundle that is missing, damaged or does not belong.
      OSError: an upstream path that does not exist.
    """
    from hsmtss_jax.stages import STAGES
    from hsmtss_jax.train.stage import build_stage

    name = config.stage.name
    if name not in STAGES:
        raise ValueError(f"unknown stage {name!r}: choose one of {', '.join(STAGES)}")
    stage_class = STAGES[name][1]
    upstream = load_upstream(config.upstream)
    return build_stage(stage_class, config.stage, config.data, upstream, config.run.dtype)


def load_upstream(paths: Mapping[str, str]) -> dict[str, Bundle]:
    """Bundles by name; each must have been trained against the others given.

    Raises:
      ValueError: two bundles that disagree about a third, or a bundle that cannot be read.
    """
    bundles = {name: load_bundle(path) for name, path in paths.items()}
    check_upstream(bundles)
    return bundles


def allow_worker_processes() -> None:
    """grain's worker processes read absl flags, which nothing parses in a plain command."""
    from absl import flags

    flags.FLAGS.mark_as_parsed()
