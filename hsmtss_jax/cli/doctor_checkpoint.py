"""The checkpoint's part of ``hsmtss doctor``: its stages, and the memory it needs before it is run.

Legend: R rows that run at once, P patches, T token frames, W samples of a window.
"""

import dataclasses
import os
from pathlib import Path
from typing import Any

from hsmtss_jax.bundles.bundle import Bundle, flatten
from hsmtss_jax.cli.doctor_machine import host_memory
from hsmtss_jax.cli.findings import Finding, size

PROGRAM = 600 << 20  # bytes of Python, JAX and the compiled programs, measured on a CPU


@dataclasses.dataclass(frozen=True)
class Stage:
    """A stage bundle without its weights. parameters: their number; disk: bytes of its files."""

    bundle: Bundle
    parameters: int
    disk: int


@dataclasses.dataclass(frozen=True)
class Need:
    """Bytes that a pipeline takes, by what they are for."""

    weights: int
    cache: int
    activations: int
    host_copy: int

    @property
    def device(self) -> int:
        """On the device that runs it."""
        return self.weights + self.cache + self.activations


def examine(source: str | None, dtype: str, device: str | None, batch: int | None) -> list[Finding]:
    """Findings about a pipeline bundle; what is wrong with it is a finding, too."""
    from hsmtss_jax.bundles.hub import locate
    from hsmtss_jax.dist import find_device
    from hsmtss_jax.inference.options import RuntimeOptions

    try:
        folder = locate(source)
        stages = read_stages(folder)
    except (ValueError, OSError) as error:
        return [Finding("bad", "checkpoint", " ".join(str(error).split()))]
    place = find_device(device) or _default_device()
    on_cpu = place.platform == "cpu"
    itemsize = 4 if dtype == "float32" or (dtype == "auto" and on_cpu) else 2
    rows = batch or RuntimeOptions.batch
    findings = [_summary(folder, stages), *(_stage(role, stage) for role, stage in stages.items())]
    try:
        need = estimate(stages, rows, itemsize)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        text = f"its configs cannot be read ({type(error).__name__}: {error}): copy it again"
        return [*findings, Finding("bad", "checkpoint", text)]
    return [*findings, *_fits(need, rows, place)]


def read_stages(folder: Path) -> dict[str, Stage]:
    """Every stage of a pipeline bundle, checked, one in memory at a time. Raises OSError, ValueError."""
    from hsmtss_jax.bundles.bundle import check_upstream
    from hsmtss_jax.bundles.pipeline import load_pipeline, pipeline_roles

    stages = {}
    for role in pipeline_roles(folder):
        bundle = load_pipeline(folder, roles=(role,)).bundles[role]
        count = sum(x.size for x in flatten(bundle.params).values())
        disk = sum(file.stat().st_size for file in (folder / role).iterdir())
        stages[role] = Stage(dataclasses.replace(bundle, params={}), count, disk)
    check_upstream({role: stage.bundle for role, stage in stages.items()})
    return stages


def estimate(stages: dict[str, Stage], rows: int, itemsize: int) -> Need:
    """Memory from the configs, before anything is loaded.

    Weights stay float32 but for the decoder's; the host keeps a copy of them as they were read. The
    activations are those of the largest step, of which XLA holds little more than one layer.
    """
    from hsmtss_jax.config import from_dict
    from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
    from hsmtss_jax.models.audio_mae import AudioMAEConfig
    from hsmtss_jax.models.tf_codec.model import TFCodecConfig
    from hsmtss_jax.stages.joint_separator import JointSeparatorStageConfig
    from hsmtss_jax.stages.single_stage import SingleStageConfig

    configs = {role: stage.bundle.config for role, stage in stages.items()}
    mae = from_dict(AudioMAEConfig, configs["audio_mae"]["model"])
    if "single_stage" in configs:
        local = from_dict(SingleStageConfig, configs["single_stage"]).model
    else:
        local = from_dict(JointSeparatorStageConfig, configs["joint_separator"]).local_model
    decoder = from_dict(AcousticDecoderConfig, configs["acoustic_decoder"]["model"])
    codec = from_dict(TFCodecConfig, configs["tf_codec"]["model"])
    parameters = {role: stage.parameters for role, stage in stages.items()}
    all_parameters = sum(parameters.values())
    of_decoder = parameters["acoustic_decoder"]
    tokens = local.patches + local.max_text + local.max_task + 1
    steps = (
        _transformer(rows, mae.patches, mae.width, mae.heads, itemsize),
        _transformer(rows, tokens, local.width, local.heads, itemsize),
        _waveform(rows, mae.frames * 2, codec.channels, itemsize),
    )
    slots = decoder.max_frames + (decoder.patches if decoder.has_prefix else 0)
    crossed = decoder.patches if decoder.condition == "cross" else 0
    return Need(
        weights=4 * (all_parameters - of_decoder) + itemsize * of_decoder,
        cache=2 * decoder.depth * rows * decoder.width * (slots + crossed) * itemsize,
        activations=max(steps),
        host_copy=4 * all_parameters,
    )


def _transformer(rows: int, tokens: int, width: int, heads: int, itemsize: int) -> int:
    """A layer: scores in float32 before and after the softmax; residual, projections and MLP."""
    return rows * tokens * (2 * 4 * heads * tokens + itemsize * width * (1 + 3 + 4))


def _waveform(rows: int, frames: int, channels: tuple[int, ...], itemsize: int) -> int:
    """The codec's last layers: maps of STFT frames x 161 bins, with the skip's channels beside them."""
    return rows * frames * 161 * itemsize * 4 * channels[0]


def _default_device() -> Any:
    import jax

    return jax.local_devices()[0]


def _summary(folder: Path, stages: dict[str, Stage]) -> Finding:
    parameters = sum(stage.parameters for stage in stages.values())
    disk = sum(stage.disk for stage in stages.values())
    values = {"folder": os.fspath(folder), "parameters": parameters, "bytes": disk}
    text = f"{folder.name}: {parameters:,} parameters, {size(disk)} on disk"
    return Finding("ok", "checkpoint", text, values)


def _stage(role: str, stage: Stage) -> Finding:
    values = {"parameters": stage.parameters, "bytes": stage.disk, "digest": stage.bundle.digest}
    text = f"{stage.parameters:,} parameters, {size(stage.disk)} on disk"
    return Finding("ok", f"  {role}", text, values)


def _fits(need: Need, rows: int, place: Any) -> list[Finding]:
    """Whether there is room, on the device and beside it."""
    parts = ", ".join(
        f"{name} {size(getattr(need, name))}" for name in ("weights", "cache", "activations")
    )
    values = {**dataclasses.asdict(need), "rows": rows, "device": need.device}
    host = need.host_copy + PROGRAM
    _, free = host_memory()
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


def _verdict(name: str, text: str, need: int, room: int, values: dict[str, Any]) -> Finding:
    """room: bytes that are free, 0 where that is unknown."""
    if not room:
        return Finding("note", name, f"{text}; what is free is not known", values)
    values = {**values, "free": room}
    if need <= room:
        return Finding("ok", name, f"{text}; {size(room)} are free", values)
    return Finding("bad", name, f"{text}, but {size(room)} are free: a smaller --batch", values)
