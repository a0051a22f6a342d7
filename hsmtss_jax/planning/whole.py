"""Many stages for many slices: compiled one after another, each row kept as soon as it is known."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hsmtss_jax.config import ExperimentConfig, MeshConfig
from hsmtss_jax.metrics.tables import Row, Table
from hsmtss_jax.planning.devices import DEVICES
from hsmtss_jax.planning.forecast import COLUMNS, Rates, cells, forecast, largest_batch
from hsmtss_jax.planning.program import figures, nearest_batch
from hsmtss_jax.planning.target import find_target


@dataclasses.dataclass(frozen=True)
class Layout:
    """Hold devices and how a training is laid out on them; topology: of a TPU, "" the smallest that fits."""

    mesh: MeshConfig
    topology: str = ""

    @property
    def chips(self) -> int:
        return self.mesh.data * self.mesh.fsdp

    @property
    def title(self) -> str:
        where = f"{self.topology}, " if self.topology else ""
        return f"{where}data={self.mesh.data}, fsdp={self.mesh.fsdp}"


@dataclasses.dataclass(frozen=True)
class Planned:
    """Hold a row of a plan: the layout, the stage, and its cells in plain JSON."""

    title: str
    name: str
    cells: Mapping[str, Any]
    compiler: str


def plan_stage(
    name: str,
    config: ExperimentConfig,
    size: str,
    layout: Layout,
    rates: Rates,
    *,
    compiles: bool = True,
    largest: bool = False,
) -> Planned:
    """Plan one stage on one layout; its batch becomes the nearest that splits over the chips.

    Args:
      name: of the config.
      config: the experiment.
      size: of its upstream.
      layout: devices and mesh.
      rates: what is assumed of the device.
      compiles: whether to ask the compiler.
      largest: whether to compile a second time for the largest batch that fits.

    Raises:
      ValueError: a mesh that does not fit.
    """
    target = find_target(rates.device, layout.chips, layout.topology)
    config = dataclasses.replace(config, mesh=layout.mesh)
    known = figures(_with_batch(config, layout.chips), size, target, compiles=compiles)
    most = None
    if largest and compiles:
        twice = figures(_with_batch(config, layout.chips, 2), size, target)
        most = largest_batch(known, twice, DEVICES[rates.device].memory)
    row = forecast(name, config, known, rates, most)
    return Planned(layout.title, name, cells(row), target.compiler)


def _with_batch(config: ExperimentConfig, chips: int, times: int = 1) -> ExperimentConfig:
    batch = times * nearest_batch(config.data.batch_size, chips, config.run.accumulate)
    return dataclasses.replace(config, data=dataclasses.replace(config.data, batch_size=batch))


class Kept:
    """Keep planned rows in a file of JSON lines, so that a plan of hours goes on where it stopped."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: dict[tuple[str, str], Planned] = {}
        if path is not None and path.exists():
            rows = [Planned(**json.loads(line)) for line in path.read_text().splitlines()]
            self._rows = {(row.title, row.name): row for row in rows}

    def get(self, layout: Layout, name: str, make: Callable[[], Planned]) -> Planned:
        """Return the row of a layout and a stage: the one that is kept, or what ``make`` returns."""
        key = (layout.title, name)
        if key not in self._rows:
            self._rows[key] = make()
            if self._path is not None:
                with self._path.open("a") as file:
                    file.write(json.dumps(dataclasses.asdict(self._rows[key])) + "\n")
        return self._rows[key]


def tables(rows: Iterable[Planned]) -> list[Table]:
    """Return a table a layout, with the sum of its stages where there are several."""
    by_title: dict[str, list[Planned]] = {}
    for row in rows:
        by_title.setdefault(row.title, []).append(row)
    return [_table(title, these) for title, these in by_title.items()]


def _table(title: str, rows: Sequence[Planned]) -> Table:
    lines = [Row(row.name, row.cells) for row in rows]
    if len(rows) > 1:
        summed = ("hours", "disk", "price")
        lines.append(
            Row("all", {key: float(sum(row.cells[key] for row in rows)) for key in summed})
        )
    return Table(COLUMNS, lines, title, corner="stage")
