"""From a folder of clips to a fine-tuned pipeline, with a report of before and after."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from hsmtss_jax.adaptation.sounds import prepare_sounds
from hsmtss_jax.adaptation.training import TuningConfig, tune
from hsmtss_jax.bundles.bundle import load_bundle
from hsmtss_jax.bundles.pipeline import (
    MASK_DECODER,
    Pipeline,
    PipelineConfig,
    check_pipeline,
    load_pipeline,
    write_pipeline,
)
from hsmtss_jax.data.records import read_index
from hsmtss_jax.sampling.policies import Policy

_SEPARATORS = ("joint_separator", "single_stage", "mask_separator")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Adaptation:
    """Say what to adapt to what.

    Attributes:
      base: folder of the pipeline to start from.
      sounds: folder of the new clips.
      table: their captions, CSV; None: those in the names of files and folders.
      old: a prepared data set that the pipeline was trained on, or one like it.
      out: the pipeline to write.
      workdir: where everything else goes, and goes on.
      held_out: share of the new recordings to be scored on.
      tuning: how to train.
    """

    base: Path
    sounds: Path
    table: Path | None
    old: Path
    out: Path
    workdir: Path
    held_out: float = 0.2
    tuning: TuningConfig = dataclasses.field(default_factory=TuningConfig)

    @property
    def sets(self) -> tuple[Path, Path]:
        """Return the new data set and the old one."""
        return self.workdir / "sounds", self.old


def adapt(adaptation: Adaptation, say: Callable[[str], None] = print) -> Pipeline:
    """Write the fine-tuned pipeline; return the one it was made of. ``workdir`` is left to the caller.

    Raises:
      training.Interrupted: a training was stopped; the same call goes on.
      ValueError, OSError: a pipeline, a folder or a table that cannot be used, in a line.
    """
    check_pipeline(adaptation.out)
    for split in ("train", "validation"):
        read_index(adaptation.old, split)  # an error before any work, not after it
    base = load_whole(adaptation.base)
    new, _ = adaptation.sets
    report = prepare_sounds(adaptation.sounds, adaptation.table, new, adaptation.held_out)
    for line in report.lines():
        say(line)
    tuned = tune(base.bundles, adaptation.sets, adaptation.workdir, adaptation.tuning, say)
    bundles = {**base.bundles, **{role: load_bundle(path) for role, path in tuned.items()}}
    write_pipeline(pipeline_config(base, adaptation.sounds.name), bundles, adaptation.out)
    return base


def load_whole(folder: Path) -> Pipeline:
    """Read a pipeline with all its roles, also those that separation does not need."""
    roles = load_pipeline(folder).meta["roles"]
    return load_pipeline(folder, roles)


def pipeline_config(base: Pipeline, sounds: str) -> PipelineConfig:
    """Return how a pipeline like ``base`` is written: its storage, sampling, licence and notices."""
    storage = {}
    for role, bundle in base.bundles.items():
        assert bundle.path is not None
        header = json.loads((bundle.path / "bundle.json").read_text(encoding="utf-8"))
        storage[role] = header["storage"]
    notices = {
        path.name: str(path)
        for path in base.path.iterdir()
        if path.is_file() and path.name != "pipeline.json"
    }
    return PipelineConfig(
        bundles={},
        separator=next(role for role in _SEPARATORS if role in base.bundles),
        mask_decoder=MASK_DECODER in base.bundles,
        captioner="captioner" in base.bundles,
        storage=storage,
        sampling=base.sampling or Policy(),
        presence=base.presence,
        licence=base.meta.get("licence", ""),
        data=f"{base.meta.get('data', '')}; adapted to {sounds}".lstrip("; "),
        notices=notices,
    )


def forget(workdir: Path) -> None:
    """Delete what an adaptation worked with."""
    shutil.rmtree(workdir, ignore_errors=True)
