"""Read finished and unfinished runs from disk: what they were told, what they reached, what they took."""

import dataclasses
import itertools
import json
import math
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hsmtss_jax.metrics.interval import Estimate

_LONG_PAUSE = 600.0  # between two lines of a log [s]: longer ones are no work


@dataclasses.dataclass(frozen=True)
class Stage:
    """Hold the training of one stage.

    Attributes:
      config: of the experiment, by dotted name.
      validation: metrics of the last validation.
      steps: done.
      speed: the median [steps/s], None where it was never logged.
      seconds: of work, long pauses left out.
      parameters: of the released bundle, None before there is one.
    """

    config: Mapping[str, Any]
    validation: Mapping[str, float]
    steps: int
    speed: float | None
    seconds: float
    parameters: int | None

    @property
    def examples_per_second(self) -> float | None:
        """Return the speed in examples a second."""
        return self.speed and self.speed * self.config["data.batch_size"]


@dataclasses.dataclass(frozen=True)
class Run:
    """Hold a run: stages by name, and the scores of its pipeline, route and metric -> estimate."""

    name: str
    stages: Mapping[str, Stage]
    scores: Mapping[tuple[str, str], Estimate]

    @property
    def hours(self) -> float:
        """Return the hours of work of all stages."""
        return sum(stage.seconds for stage in self.stages.values()) / 3600


def read_run(folder: Path, name: str = "") -> Run:
    """Read a workdir of ``hsmtss train``, or one of ``recipe`` or ``sweep`` with stages in it.

    Raises:
      ValueError: neither a run nor anything that holds one.
    """
    folders = [folder] if _is_stage(folder) else sorted(filter(_is_stage, _below(folder)))
    stages = {path.name: _read_stage(path) for path in folders}
    scores = _read_scores(folder / "scores.json")
    if not stages and not scores:
        raise ValueError(f"{folder} holds no run: give workdirs of hsmtss train, recipe or sweep")
    return Run(name or folder.name, stages, scores)


def is_run(folder: Path) -> bool:
    """Return whether ``read_run`` finds something there."""
    inside = (folder / "scores.json").is_file() or any(map(_is_stage, _below(folder)))
    return _is_stage(folder) or inside


def _below(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _is_stage(folder: Path) -> bool:
    return (folder / "metrics.jsonl").is_file() and _saved_config(folder) is not None


def _saved_config(folder: Path) -> Mapping[str, Any] | None:
    """Return the experiment of a training: from its bundle, or the newest checkpoint that holds one."""
    bundle = folder / "bundle" / "bundle.json"
    if bundle.is_file():
        return json.loads(bundle.read_text(encoding="utf-8"))["meta"].get("experiment")
    saved = [path for path in _below(folder / "checkpoints") if path.name.isdigit()]
    for path in sorted(saved, key=lambda path: int(path.name), reverse=True):
        file = path / "config" / "metadata"
        if file.is_file():
            return json.loads(file.read_text(encoding="utf-8"))["experiment"]
    return None


def _read_stage(folder: Path) -> Stage:
    experiment = _saved_config(folder)
    assert experiment is not None
    lines = _lines(folder / "metrics.jsonl")
    speeds = [
        line["speed/steps_per_second"] for line in lines if line.get("speed/steps_per_second")
    ]
    times = [line["time"] for line in lines if "time" in line]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    return Stage(
        config=_dotted(experiment),
        validation=_last_validation(lines),
        steps=max((line["step"] for line in lines), default=0),
        speed=statistics.median(speeds) if speeds else None,
        seconds=sum(gap for gap in gaps if 0 < gap < _LONG_PAUSE) + _before_first(lines),
        parameters=_parameters(folder / "bundle" / "model.safetensors"),
    )


def _before_first(lines: list[dict[str, Any]]) -> float:
    """Return the time of the steps before the first line of a log [s], by their speed."""
    first = next((line for line in lines if line.get("speed/steps_per_second")), None)
    return first["step"] / first["speed/steps_per_second"] if first else 0.0


def _lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; one that was cut short is passed over."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def _last_validation(lines: list[dict[str, Any]]) -> dict[str, float]:
    prefix = "validation/"
    for line in reversed(lines):
        values = {key.removeprefix(prefix): line[key] for key in line if key.startswith(prefix)}
        if values:
            return {key: value for key, value in values.items() if value is not None}
    return {}


def _parameters(path: Path) -> int | None:
    """Return the number of a bundle's weights from the header of its file; scales of int8 count as well."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    return sum(math.prod(each["shape"]) for key, each in header.items() if key != "__metadata__")


def _read_scores(path: Path) -> dict[tuple[str, str], Estimate]:
    """Return route and metric -> estimate over both tasks, of a report of hsmtss evaluate separation."""
    if not path.is_file():
        return {}
    table = json.loads(path.read_text(encoding="utf-8")).get("summary", {}).get("all", {})
    return {
        (route, metric): Estimate(**cell)
        for route, cells in table.items()
        for metric, cell in cells.items()
        if isinstance(cell, Mapping) and set(cell) == {f.name for f in dataclasses.fields(Estimate)}
    }


def _dotted(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _dotted(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
