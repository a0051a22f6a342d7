"""``hsmtss export``: a run's checkpoint or a bundle as a release bundle, or stage bundles as a pipeline."""

import argparse
from pathlib import Path

from hsmtss_jax.bundles.bundle import STORAGES, Bundle, is_bundle, load_bundle, save_bundle
from hsmtss_jax.cli.messages import CommandParser
from hsmtss_jax.config import SIZES


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss export",
        description="Write the release bundle of a training run, re-store an existing bundle, or "
        "assemble stage bundles into a pipeline bundle.",
        epilog="examples: hsmtss export runs/local local_bundle --storage bfloat16; "
        "hsmtss export configs/pipeline.py runs/pipeline --size demo",
    )
    parser.add_argument("source", help="a workdir of hsmtss train, a bundle, or a pipeline config")
    parser.add_argument("output", help="folder of the bundle to write")
    parser.add_argument("overrides", nargs="*", help="of a pipeline config: path.to.field=value")
    parser.add_argument("--storage", choices=STORAGES, default="float32", help="[float32]")
    parser.add_argument("--step", default="latest", help="a step, latest or best [latest]")
    parser.add_argument("--size", choices=SIZES, default="paper", help="of a pipeline [paper]")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_intermixed_args(argv)
    source = Path(args.source)
    if source.suffix == ".py":
        return _export_pipeline(source, args)
    if args.overrides:
        raise ValueError(f"only a pipeline config takes overrides: {args.overrides[0]!r}")
    if is_bundle(source):
        bundle = load_bundle(source)
    elif (source / "checkpoints").is_dir():
        bundle = bundle_of_run(source, args.step)
    else:
        raise FileNotFoundError(f"{source} is neither a bundle nor the workdir of a training run")
    saved = save_bundle(args.output, bundle, args.storage)
    megabytes = sum(path.stat().st_size for path in Path(args.output).iterdir()) / 1e6
    print(f"{saved.stage} {saved.digest[:12]} {args.storage} {megabytes:.1f} MB: {args.output}")
    return 0


def _export_pipeline(source: Path, args: argparse.Namespace) -> int:
    from hsmtss_jax.bundles.pipeline import PipelineConfig, assemble
    from hsmtss_jax.config import load_config, override

    config = override(load_config(source, args.size, PipelineConfig), args.overrides)
    folder = assemble(config, args.output)
    megabytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    print(f"pipeline {megabytes:.1f} MB: {args.output}")
    return 0


def bundle_of_run(workdir: Path, step: str = "latest") -> Bundle:
    """The release bundle of one checkpoint.

    Raises:
      ValueError: no such checkpoint, or upstream bundles that changed since.
    """
    from hsmtss_jax.stages import stage_class
    from hsmtss_jax.train.plan import release
    from hsmtss_jax.train.run import open_run

    run = open_run(workdir, stage_class, step)
    return release(run.plan, run.state, run.step)
