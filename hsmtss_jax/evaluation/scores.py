"""From scores of single pairs to the tables of a separation report."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hsmtss_jax.metrics import mean_with_interval, paired_difference
from hsmtss_jax.metrics.tables import Cell, Column, Report, Row, Table
from hsmtss_jax.task import TASKS

ROUTES = {
    "mixture": "mixture, unprocessed",
    "codec": "codec resynthesis of the target (ceiling)",
    "true_s": "decoder from the target's S",
    "true_g": "local separator given the target's G",
    "predicted": "predicted by the separators",
    "generate": "the system, mode generate",
    "blend": "the system, mode blend",
    "mask": "the system, mode mask (the default)",
    "baseline": "the mask baseline",
}
SYSTEM = ("generate", "blend", "mask")
METRICS = (
    Column("mel_psnr", "mel-PSNR (dB) ↑"),
    Column("lsd", "LSD ↓"),
    Column("lsd_1120", "LSD, offset 1120 ↓"),
    Column("lsd_active", "LSD, active ↓"),
    Column("sdr", "SDR (dB) ↑"),
    Column("sdri", "SDRi (dB) ↑"),
    Column("si_sdr", "SI-SDR (dB) ↑"),
    Column("si_sdri", "SI-SDRi (dB) ↑"),
)
FEATURES = {"s_cosine": "cos(S, target's S) ↑", "g_cosine": "cos(G, target's G) ↑"}
PHASE_NOTE = (
    "SDR and SI-SDR compare sample with sample. They decide for masks, which keep the mixture's phase; "
    "they do not for sounds that the codec makes (generate, blend and the diagnostic rows), whose phase "
    "is free: compare those by mel-PSNR and LSD."
)
GATE_ON = (
    "Silence gate on, as the system ships. It moves LSD wherever a sound is digitally silent: turn it off "
    "for numbers that stand beside the paper's."
)
GATE_OFF = "Silence gate off, as in the paper's procedure; the system ships with it on."


@dataclasses.dataclass(frozen=True)
class PairScore:
    """Store one pair, one task, one route. values: metric -> number (NaN or infinite where undefined).

    group: recording of the target; snr_db: target to other [dB].
    """

    index: int
    task: str
    route: str
    text: str
    group: str
    snr_db: float
    values: dict[str, float]


def report(scores: Sequence[PairScore], about: Mapping[str, Any]) -> Report:
    """Build the report: a table a task and one of both, then the features' cosines.

    Intervals are 95 % bootstraps over the targets' recordings; differences are paired by mixture.
    """
    pairs = len({score.index for score in scores})
    tasks = [str(task) for task in TASKS if any(score.task == task for score in scores)]
    parts = {task: [score for score in scores if score.task == task] for task in tasks}
    parts |= {"all": list(scores)} if len(tasks) > 1 else {}
    corner = f"{pairs} pairs"
    tables = [Table(METRICS, _rows(part), task, corner) for task, part in parts.items()]
    features = _features(parts)
    tables += [features] if features.rows else []
    gate = about.get("options", {}).get("silence_gate", True)
    recordings = len({score.group for score in scores})
    notes = [
        f"Means with 95 % bootstrap intervals over {recordings} recordings of targets.",
        PHASE_NOTE,
        GATE_ON if gate else GATE_OFF,
    ]
    return Report(tables, about, [dataclasses.asdict(score) for score in scores], notes)


def values_of(scores: Sequence[PairScore], metric: str) -> np.ndarray:
    """Return a metric of every score, NaN where it has none."""
    return np.array([score.values.get(metric, math.nan) for score in scores], np.float64)


def mean_cell(scores: Sequence[PairScore], metric: str) -> Cell:
    """Return the mean of a metric with its interval; None when no score has it."""
    values = values_of(scores, metric)
    if not np.isfinite(values).any():
        return None
    return mean_with_interval(values, groups=[score.group for score in scores])


def difference_cells(
    ours: Sequence[PairScore], others: Sequence[PairScore], columns: Sequence[Column]
) -> dict[str, Cell]:
    """Return the mean of ours - others for every column, paired by mixture and task."""
    by_key = {(score.index, score.task): score for score in others}
    pairs = [(a, b) for a in ours if (b := by_key.get((a.index, a.task)))]
    groups = [a.group for a, _ in pairs]
    cells: dict[str, Cell] = {}
    for key in (column.key for column in columns):
        first, second = (values_of([pair[i] for pair in pairs], key) for i in (0, 1))
        if (np.isfinite(first) & np.isfinite(second)).any():
            cells[key] = paired_difference(first, second, groups=groups)
    return cells


def _rows(scores: Sequence[PairScore]) -> list[Row]:
    """Return a row a route with sounds, then the system's differences to the mixture and the baseline."""
    by_route = {
        route: found for route in ROUTES if (found := [s for s in scores if s.route == route])
    }
    rows = [
        Row(ROUTES[route], {c.key: mean_cell(found, c.key) for c in METRICS}, route)
        for route, found in by_route.items()
        if any("mel_psnr" in score.values for score in found)
    ]
    for mode in (mode for mode in SYSTEM if mode in by_route):
        for other in (other for other in ("mixture", "baseline") if other in by_route):
            cells = difference_cells(by_route[mode], by_route[other], METRICS)
            rows.append(Row(f"{mode} - {other}", cells))
    return rows


def _features(parts: Mapping[str, Sequence[PairScore]]) -> Table:
    """Return the cosines of features to the target's: a row a route, a column a feature and task."""
    tasks = [task for task in parts if task != "all"]
    columns = [
        Column(f"{key}_{task}", f"{title}, {task}")
        for key, title in FEATURES.items()
        for task in tasks
    ]
    rows = []
    for route, name in ROUTES.items():
        cells = {
            f"{key}_{task}": mean_cell([s for s in parts[task] if s.route == route], key)
            for key in FEATURES
            for task in tasks
        }
        if any(cell is not None for cell in cells.values()):
            rows.append(Row(name, cells, route))
    return Table(columns, rows, "features")
