"""Examine a checkpoint for ``hsmtss doctor``: its stages, and the memory it needs before it is run."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import jax

from hsmtss_jax.bundles.bundle import Bundle, check_upstream, flatten
from hsmtss_jax.bundles.hub import locate
from hsmtss_jax.bundles.pipeline import architecture, load_pipeline, pipeline_roles
from hsmtss_jax.cli.doctor.finding import Finding, size
from hsmtss_jax.cli.model import ModelOptions
from hsmtss_jax.dist import compute_dtype, find_device
from hsmtss_jax.inference.memory import PROGRAM, Need, estimate_memory, rows_at_once


@dataclasses.dataclass(frozen=True)
class StageFiles:
    """Describe a stage bundle without its weights. parameters: their number; disk: bytes of its files."""

    bundle: Bundle
    parameters: int
    disk: int


def examine_checkpoint(model: ModelOptions, free: int) -> list[Finding]:
    """Return findings about a pipeline bundle; what is wrong with it is a finding, too.

    free: bytes of memory that are free on this machine.
    """
    try:
        folder = locate(model.ckpt)
        stages = read_stages(folder)
    except (ValueError, OSError) as error:
        return [Finding("bad", "checkpoint", " ".join(str(error).split()))]
    place = find_device(model.device) or jax.local_devices()[0]
    findings = [_summary(folder, stages), *(_stage(role, stage) for role, stage in stages.items())]
    rows = rows_at_once(stages, model.batch, place.platform)
    try:
        need = estimate_memory(
            {role: stage.bundle for role, stage in stages.items()},
            {role: stage.parameters for role, stage in stages.items()},
            rows=rows,
            itemsize=jax.numpy.dtype(compute_dtype(model.dtype, place)).itemsize,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        text = f"its configs cannot be read ({type(error).__name__}: {error}): copy it again"
        return [*findings, Finding("bad", "checkpoint", text)]
    return [*findings, *examine_room(need, rows, place, free)]


def read_stages(folder: Path) -> dict[str, StageFiles]:
    """Read and check every stage of a pipeline, one in memory at a time. Raises OSError, ValueError."""
    stages = {}
    for role in pipeline_roles(folder):
        bundle = load_pipeline(folder, roles=(role,)).bundles[role]
        count = sum(x.size for x in flatten(bundle.params).values())
        disk = sum(file.stat().st_size for file in (folder / role).iterdir())
        stages[role] = StageFiles(dataclasses.replace(bundle, params={}), count, disk)
    check_upstream({role: stage.bundle for role, stage in stages.items()})
    return stages


def examine_room(need: Need, rows: int, place: Any, free: int) -> list[Finding]:
    """Compare what a pipeline needs with what is free, on the device ``place`` and beside it."""
    parts = ", ".join(
        f"{name} {size(getattr(need, name))}" for name in ("weights", "cache", "activations")
    )
    values = {**dataclasses.asdict(need), "rows": rows, "device": need.device}
    host = need.host
    findings = []
    if place.platform == "cpu":
        host += need.device
    else:
        stats = place.memory_stats() or {}
        room = stats.get("bytes_limit", 0) - stats.get("bytes_in_use", 0)
        text = f"{size(need.device)} at {rows} sounds at once ({parts})"
        findings.append(_verdict("needs on the device", text, need.device, room, values))
    text = f"{size(host)}" + (
        f" at {rows} sounds at once ({parts}," if place.platform == "cpu" else " ("
    )
    text += f" weights as read {size(need.host_copy)}, programs {size(PROGRAM)})"
    findings.append(_verdict("needs of memory", text, host, free, {**values, "host": host}))
    return findings


def _summary(folder: Path, stages: dict[str, StageFiles]) -> Finding:
    parameters = sum(stage.parameters for stage in stages.values())
    disk = sum(stage.disk for stage in stages.values())
    kind = architecture(stages)
    values = {
        "folder": os.fspath(folder),
        "architecture": kind,
        "parameters": parameters,
        "bytes": disk,
    }
    text = f"{folder.name}: {kind}, {parameters:,} parameters, {size(disk)} on disk"
    return Finding("ok", "checkpoint", text, values)


def _stage(role: str, stage: StageFiles) -> Finding:
    values = {"parameters": stage.parameters, "bytes": stage.disk, "digest": stage.bundle.digest}
    text = f"{stage.parameters:,} parameters, {size(stage.disk)} on disk"
    return Finding("ok", f"  {role}", text, values)


def _verdict(name: str, text: str, need: int, room: int, values: dict[str, Any]) -> Finding:
    """Return the finding on a need of memory. room: bytes that are free, 0 where that is unknown."""
    if not room:
        return Finding("note", name, f"{text}; what is free is not known", values)
    values = {**values, "free": room}
    if need <= room:
        return Finding("ok", name, f"{text}; {size(room)} are free", values)
    return Finding("bad", name, f"{text}, but {size(room)} are free: a smaller --batch", values)
