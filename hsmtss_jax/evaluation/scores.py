"""From scores of single pairs to the tables of a separation report."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hsmtss_jax.evaluation.scorers import SignalMetrics
from hsmtss_jax.inference.options import Mode
from hsmtss_jax.metrics import (
    frechet_audio_distance,
    kernel_audio_distance,
    mean_with_interval,
    paired_difference,
)
from hsmtss_jax.metrics.tables import Cell, Column, Report, Row, Table
from hsmtss_jax.task import TASKS

ROUTES = {
    "target": "the target itself",
    "mixture": "mixture, unprocessed",
    "ideal_mask": "ideal ratio mask (ceiling of masks)",
    "codec": "codec resynthesis of the target (ceiling)",
    "true_s": "decoder from the target's S",
    "true_g": "local separator given the target's G",
    "predicted": "predicted by the separators",
    "generate": "the system, mode generate",
    "blend": "the system, mode blend",
    "mask": "the system, mode mask (the default)",
    "baseline": "the mask baseline",
}
SYSTEM: tuple[Mode, ...] = ("generate", "blend", "mask")
METRICS = SignalMetrics.columns
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


_PAPER = {  # what the paper reports by models of others: the beginning of its column, and how to have it
    "kl_cnn14": "KL (Cnn14), --judge FOLDER of hsmtss import panns",
    "clap_msclap": "CLAP score (msclap), --clap msclap",
    "afsim_": "AFSim, --afsim MODEL",
}


@dataclasses.dataclass(frozen=True)
class PairScore:
    """Store one pair, one task, one route. values: metric -> number (NaN or infinite where undefined).

    group: recording of the target; snr_db: target to other [dB]. embeddings: scorer's name -> what it
    hears, for distances between sets; a report's rows leave it out.
    """

    index: int
    task: str
    route: str
    text: str
    group: str
    snr_db: float
    values: dict[str, float]
    embeddings: dict[str, np.ndarray] = dataclasses.field(default_factory=dict, compare=False)

    def to_row(self) -> dict[str, Any]:
        """Return all but the embeddings, in plain JSON."""
        fields = (field.name for field in dataclasses.fields(self) if field.name != "embeddings")
        return {name: getattr(self, name) for name in fields}


def report(
    scores: Sequence[PairScore],
    about: Mapping[str, Any],
    columns: Sequence[Column] = METRICS,
    notes: Sequence[str] = (),
) -> Report:
    """Build the report: a table a task and one of both, then sets of sounds and the features' cosines.

    Intervals are 95 % bootstraps over the targets' recordings; differences are paired by mixture.
    columns: what was measured; notes: further lines.
    """
    pairs = len({score.index for score in scores})
    tasks = [str(task) for task in TASKS if any(score.task == task for score in scores)]
    parts = {task: [score for score in scores if score.task == task] for task in tasks}
    parts |= {"all": list(scores)} if len(tasks) > 1 else {}
    corner = f"{pairs} pairs"
    tables = [Table(columns, _rows(part, columns), task, corner) for task, part in parts.items()]
    tables += [table for table in (set_table(scores), _features(parts)) if table.rows]
    gate = about.get("options", {}).get("silence_gate", True)
    recordings = len({score.group for score in scores})
    said = [
        f"Means with 95 % bootstrap intervals over {recordings} recordings of targets.",
        PHASE_NOTE,
        *([GATE_ON if gate else GATE_OFF] if any(s.route in SYSTEM for s in scores) else []),
        *notes,
    ]
    made = {**about, **describe_columns(columns)}
    return Report(tables, made, [score.to_row() for score in scores], said)


def describe_columns(columns: Sequence[Column]) -> dict[str, Any]:
    """Return titles and decimals of columns, as plain JSON to keep beside scores."""
    return {
        "columns": {column.key: column.title for column in columns},
        "decimals": {column.key: column.decimals for column in columns},
    }


def described_columns(about: Mapping[str, Any]) -> list[Column]:
    """Return the columns that ``describe_columns`` kept; [] where nothing is kept."""
    decimals = about.get("decimals", {})
    return [
        Column(key, title, decimals.get(key, Column.decimals))
        for key, title in about.get("columns", {}).items()
    ]


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


def missing_notes(columns: Sequence[Column]) -> list[str]:
    """Return a line that names the paper's metrics without a column; what is missing is never replaced."""
    missing = [
        how
        for start, how in _PAPER.items()
        if not any(column.key.startswith(start) for column in columns)
    ]
    return [f"Not computed, of the paper's metrics: {'; '.join(missing)}."] if missing else []


def routes_of(scores: Sequence[PairScore]) -> list[str]:
    """Return the routes that there are, ours in their order, then others' as they came."""
    found = dict.fromkeys(score.route for score in scores)
    return [*(route for route in ROUTES if route in found), *(r for r in found if r not in ROUTES)]


def _rows(scores: Sequence[PairScore], columns: Sequence[Column]) -> list[Row]:
    """Return a row a route with sounds, then the systems' differences to the mixture and the baseline."""
    by_route = {route: [s for s in scores if s.route == route] for route in routes_of(scores)}
    rows = [
        Row(ROUTES.get(route, route), {c.key: mean_cell(found, c.key) for c in columns}, route)
        for route, found in by_route.items()
        if any("mel_psnr" in score.values for score in found)
    ]
    for system in (route for route in by_route if route in SYSTEM or route not in ROUTES):
        for other in (other for other in ("mixture", "baseline") if other in by_route):
            cells = difference_cells(by_route[system], by_route[other], columns)
            rows.append(Row(f"{system} - {other}", cells))
    return rows


def set_table(scores: Sequence[PairScore], reference: str = "target") -> Table:
    """Compute FAD and KAD of each route's sounds to those of ``reference``, by every embedding there is.

    Each is of all pairs, extract and remove; sounds that do not depend on the task count once. An
    embedding whose reference route is missing gives no column, a route of fewer than two sounds no row.
    """
    sets: dict[str, dict[str, np.ndarray]] = {}
    for route in routes_of(scores):
        for name, found in _embeddings([s for s in scores if s.route == route]).items():
            sets.setdefault(name, {})[route] = found
    cells: dict[str, dict[str, Cell]] = {}
    columns: list[Column] = []
    for name, by_route in sets.items():
        if len(by_route.get(reference, ())) < 2:
            continue
        columns += [
            Column(f"{kind.lower()}_{name}", f"{kind} ({name}) ↓", significant=3)
            for kind in ("FAD", "KAD")
        ]
        columns.append(Column(f"n_{name}", f"sounds, references ({name})"))
        for route, found in by_route.items():
            if route != reference and len(found) >= 2:
                cells.setdefault(route, {}).update(_set_cells(name, found, by_route[reference]))
    rows = [Row(ROUTES.get(route, route), row, route) for route, row in cells.items()]
    return Table(columns, rows, "sets")


def _embeddings(scores: Sequence[PairScore]) -> dict[str, np.ndarray]:
    """Return name -> embeddings [n, D] of different sounds: an extract and a remove may share theirs."""
    found: dict[str, dict[bytes, np.ndarray]] = {}
    for score in scores:
        for name, vector in score.embeddings.items():
            key = f"{score.index} ".encode() + vector.tobytes()
            found.setdefault(name, {})[key] = vector
    return {name: np.stack(list(vectors.values())) for name, vectors in found.items()}


def _set_cells(name: str, found: np.ndarray, references: np.ndarray) -> dict[str, Cell]:
    frechet, kernel = (
        distance(found, references) for distance in (frechet_audio_distance, kernel_audio_distance)
    )
    counts = f"{frechet.estimates}, {frechet.references}"
    return {f"fad_{name}": frechet.value, f"kad_{name}": kernel.value, f"n_{name}": counts}


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
