"""``hsmtss export``: a run's checkpoint or a bundle as a release bundle, or stage bundles as a pipeline."""

import dataclasses
from pathlib import Path

from hsmtss_jax.bundles.bundle import Bundle, Storage, is_bundle, load_bundle, save_bundle
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.options import argument
from hsmtss_jax.config import Size, load_config, own_configs
from hsmtss_jax.conversion import override
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Declare the command line of ``hsmtss export``."""

    source: Path = argument(
        "a workdir of hsmtss train, a bundle, or a pipeline config (file or name)"
    )
    output: Path = argument("folder of the bundle to write")
    overrides: tuple[str, ...] = argument("of a pipeline config: path.to.field=value", default=())
    storage: Storage = option("float32", "of the weights on disk")
    step: str = option("latest", "a step, latest or best", metavar="STEP")
    size: Size = option("paper", "of a pipeline")


def run(options: ExportOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    source = options.source
    if source.suffix == ".py" or (not source.exists() and str(source) in own_configs()):
        return _export_pipeline(options)
    if options.overrides:
        raise ValueError(f"only a pipeline config takes overrides: {options.overrides[0]!r}")
    if is_bundle(source):
        bundle = load_bundle(source)
    elif (source / "checkpoints").is_dir():
        bundle = bundle_of_run(source, options.step)
    else:
        raise FileNotFoundError(f"{source} is neither a bundle nor the workdir of a training run")
    print_saved(save_bundle(options.output, bundle, options.storage), options.storage)
    return 0


def print_saved(bundle: Bundle, storage: str) -> None:
    """Print a line about a bundle that was written."""
    assert bundle.path is not None
    size = megabytes(bundle.path)
    print(f"{bundle.stage} {bundle.digest[:12]} {storage} {size:.1f} MB: {bundle.path}")


def print_pipeline(folder: Path) -> None:
    """Print a line about a pipeline that was written."""
    print(f"pipeline {megabytes(folder):.1f} MB: {folder}")


def megabytes(folder: Path) -> float:
    """Return the size of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def bundle_of_run(workdir: Path, step: str = "latest") -> Bundle:
    """Return the release bundle of one checkpoint.

    Raises:
      ValueError: no such checkpoint, or upstream bundles that changed since.
    """
    from hsmtss_jax.stages import stage_class
    from hsmtss_jax.train.plan import release
    from hsmtss_jax.train.run import open_run

    run = open_run(workdir, stage_class, step)
    return release(run.plan, run.state, run.step)


def _export_pipeline(options: ExportOptions) -> int:
    from hsmtss_jax.bundles.pipeline import PipelineConfig, assemble

    config = override(load_config(options.source, options.size, PipelineConfig), options.overrides)
    print_pipeline(assemble(config, options.output))
    return 0


COMMAND = Command(
    description="Write the release bundle of a training run, re-store an existing bundle, or assemble "
    "stage bundles into a pipeline bundle.",
    epilog="examples: hsmtss export runs/local local_bundle --storage bfloat16; "
    "hsmtss export pipeline runs/pipeline --size demo",
    options=ExportOptions,
    run=run,
)
