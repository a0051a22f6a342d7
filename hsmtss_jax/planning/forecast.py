"""From the figures of a step to hours, disk and price."""

import dataclasses

from hsmtss_jax.config import ExperimentConfig
from hsmtss_jax.metrics.tables import Cell, Column
from hsmtss_jax.planning.devices import DEVICES, GIB
from hsmtss_jax.planning.program import StepFigures

COLUMNS = (
    Column("batch", "batch", decimals=0),
    Column("chips", "chips", decimals=0),
    Column("parameters", "parameters (M)", decimals=1, scale=1e-6),
    Column("flop", "TFLOP a step", significant=3, scale=1e-12),
    Column("fixed", "state + frozen (GiB a chip)", decimals=2, scale=1 / GIB),
    Column("temporary", "temporary (GiB a chip)", decimals=2, scale=1 / GIB),
    Column("fits", "of the memory (%)", decimals=0, scale=100),
    Column("seconds", "step (ms)", significant=3, scale=1e3),
    Column("steps", "steps", decimals=0),
    Column("hours", "hours", significant=3),
    Column("disk", "disk (GB)", significant=3, scale=1e-9),
    Column("price", "price (USD)", significant=3),
    Column("largest", "largest batch", decimals=0),
    Column("compile_seconds", "compiled in (s)", decimals=0),
)


@dataclasses.dataclass(frozen=True)
class Rates:
    """Hold what is assumed of a device.

    device: a key of ``DEVICES``. share: of its peak that a step reaches. turn: what a turn of a loop takes at
    least [s]: a loop over time waits for its own results. price: of a chip hour [USD]; None: the table's.
    """

    device: str
    share: float = 0.4
    turn: float = 1e-5
    price: float | None = None

    @property
    def chip_hour(self) -> float:
        return DEVICES[self.device].price if self.price is None else self.price


@dataclasses.dataclass(frozen=True)
class Forecast:
    """Hold what one stage will take; chips are busy for ``hours``."""

    name: str
    figures: StepFigures
    rates: Rates
    steps: int
    keep: int
    largest: int | None = None

    @property
    def seconds(self) -> float:
        """Return the time of a step [s]: of its products, or of its loops where they take longer."""
        peak = DEVICES[self.rates.device].flops * self.figures.devices
        work = self.figures.work
        return max(work.flop / (peak * self.rates.share), work.turns * self.rates.turn)

    @property
    def hours(self) -> float:
        return self.steps * self.seconds / 3600

    @property
    def price(self) -> float:
        return self.hours * self.figures.devices * self.rates.chip_hour

    @property
    def disk(self) -> float:
        """Return the bytes of the kept checkpoints, the best beside them, and of the bundle."""
        return (self.keep + 1) * self.figures.checkpoint + 4 * self.figures.parameters

    @property
    def fits(self) -> float:
        """Return the share of a chip's memory that a step takes."""
        return self.figures.memory.total / DEVICES[self.rates.device].memory


def forecast(
    name: str,
    config: ExperimentConfig,
    figures: StepFigures,
    rates: Rates,
    largest: int | None = None,
) -> Forecast:
    """Return the forecast of a stage from the figures of its step."""
    return Forecast(name, figures, rates, config.run.steps, config.run.keep, largest)


def largest_batch(small: StepFigures, large: StepFigures, memory: float, spare: float = 0.1) -> int:
    """Return the largest batch whose step fits into a chip's memory, from two compiled ones.

    Memory grows linearly with the batch; ``spare`` of it is left. A multiple of the smaller batch's
    devices; 0 where none fits.
    """
    slope = (large.memory.total - small.memory.total) / (large.batch - small.batch)
    room = (1 - spare) * memory - small.memory.total
    if slope <= 0:
        return large.batch
    most = small.batch + room / slope
    return max(int(most // small.devices), 0) * small.devices


def cells(row: Forecast) -> dict[str, Cell]:
    """Return the cells of a forecast, by the keys of ``COLUMNS``."""
    known = row.figures
    return {
        "batch": known.batch,
        "chips": known.devices,
        "parameters": known.parameters,
        "flop": known.work.flop,
        "fixed": known.memory.state + known.memory.frozen,
        "temporary": known.memory.temporary or None,
        "fits": row.fits,
        "seconds": row.seconds,
        "steps": row.steps,
        "hours": row.hours,
        "disk": row.disk,
        "price": row.price,
        "largest": row.largest,
        "compile_seconds": known.compile_seconds or None,
    }
