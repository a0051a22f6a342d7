"""Watch the losses of a run: which updates are skipped, when it goes back, when it gives up. No JAX here.

A group's corridor is the median of its last accepted losses and a multiple of their spread above it. It is
fixed for blocks of steps and reads only losses of earlier blocks, so that it is the same however a run was
stopped and resumed.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

WINDOW = 200  # accepted losses that a corridor is made of
FEWEST = 50  # below, there is no corridor yet
BLOCK = 10  # steps of one corridor; more than are ever in flight
LEAD = 5  # batches before the first skipped one that are passed over with it
_LEAST_SPREAD = 0.05  # of the median: a loss that hardly varies still may rise


@dataclasses.dataclass(frozen=True)
class Watched:
    """Hold what is known of one step: losses by group, the groups whose update was skipped, the batch.

    draw: number of the batch since the start of the run.
    """

    step: int
    draw: int
    losses: Mapping[str, float]
    skipped: tuple[str, ...] = ()


class SpikeGuard:
    """Keep the corridor of each group and the streak of skipped steps.

    Args:
      groups: names of the groups.
      factor: spreads above the median at which the corridor ends; 0: only NaN and infinity are skipped.
      patience: steps in a row with a skipped update after which the run must go back.
    """

    def __init__(self, groups: Sequence[str], factor: float, patience: int) -> None:
        self.groups, self.factor, self.patience = tuple(groups), factor, patience
        self.streak: list[Watched] = []  # the steps since the last one without a skipped update
        self.rewinds = 0  # in a row, without getting past the place
        self.worst = 0  # the last step that a rewind was for
        self._history: dict[str, list[tuple[int, float]]] = {group: [] for group in self.groups}

    @property
    def healthy(self) -> bool:
        """Return whether the last step that was seen updated every group."""
        return not self.streak

    @property
    def exhausted(self) -> bool:
        """Return whether skipping does not help any more."""
        return len(self.streak) >= self.patience

    def limits(self, step: int) -> dict[str, float]:
        """Return the largest loss by group whose update is taken at ``step`` (the number of it, from 0)."""
        before = (step // BLOCK - 1) * BLOCK
        return {group: self._limit(group, before) for group in self.groups}

    def observe(self, seen: Watched) -> None:
        """Take note of a step. They come in order."""
        if seen.skipped:
            self.streak.append(seen)
        else:
            self.streak = []
            if seen.step > self.worst + self.patience:
                self.rewinds = 0
        for group, loss in seen.losses.items():
            if group not in seen.skipped and math.isfinite(loss):
                history = self._history[group]
                history.append((seen.step, loss))
                del history[: -(WINDOW + 3 * BLOCK)]

    def offending(self) -> range:
        """Return the numbers of the batches that the streak passes over on the way back."""
        return range(max(self.streak[0].draw - LEAD, 0), self.streak[-1].draw + 1)

    def went_back(self) -> None:
        """Take note that the run goes on from an earlier checkpoint."""
        self.rewinds += 1
        self.worst = max(self.worst, self.streak[-1].step)
        self.streak = []

    def reason(self) -> str:
        """Say what was wrong in the last skipped step."""
        seen = self.streak[-1]
        limits = self.limits(seen.step)
        parts = []
        for group in seen.skipped:
            loss, limit = seen.losses[group], limits[group]
            if not math.isfinite(loss):
                parts.append(f"the loss of {group} is {loss}")
            elif loss > limit:
                parts.append(f"the loss of {group} is {loss:.4g}, its corridor ends at {limit:.4g}")
            else:
                parts.append(f"the gradient of {group} is not finite")
        return "; ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps, in plain JSON."""
        history = {group: [list(pair) for pair in pairs] for group, pairs in self._history.items()}
        return {"history": history}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take the losses back that a checkpoint kept ({}: of a version that kept none)."""
        pairs = saved.get("history", {})
        self._history = {
            group: [(int(step), float(loss)) for step, loss in pairs.get(group, [])]
            for group in self.groups
        }
        self.streak = []

    def _limit(self, group: str, before: int) -> float:
        values = [loss for step, loss in self._history[group] if step < before][-WINDOW:]
        if not self.factor or len(values) < FEWEST:
            return math.inf
        median = float(np.median(values))
        spread = 1.4826 * float(np.median(np.abs(np.asarray(values) - median)))
        return median + self.factor * max(spread, _LEAST_SPREAD * abs(median))
