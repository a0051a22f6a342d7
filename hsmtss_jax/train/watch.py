"""The spike guard beside the devices: limits go there, losses come back a few steps later."""

import collections
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from hsmtss_jax.train.guard import BLOCK, SpikeGuard, Watched


class _Pending(NamedTuple):
    """Hold a step whose results may still be computed: group -> (loss, skipped)."""

    step: int
    draw: int
    results: dict[str, tuple[jax.Array, jax.Array]]


class Watch:
    """Hold the steps in flight and the guard that judges them; ``put`` puts numbers on every device."""

    def __init__(self, guard: SpikeGuard, put: Callable[[Any], Any]) -> None:
        self.guard, self._put = guard, put
        self._pending: collections.deque[_Pending] = collections.deque()
        self._block = -1
        self._limits: dict[str, jax.Array] = {}

    def limits(self, step: int) -> dict[str, jax.Array]:
        """Return the limits of the losses at ``step``, on the devices."""
        if self._block != step // BLOCK:
            host = {name: np.float32(limit) for name, limit in self.guard.limits(step).items()}
            self._limits = self._put(host)
            self._block = step // BLOCK
        return self._limits

    def add(self, step: int, draw: int, metrics: dict[str, Any]) -> None:
        """Take a step that was started; its "GROUP/skipped" are taken out of ``metrics``."""
        results = {
            group: (metrics[f"{group}/loss"], metrics.pop(f"{group}/skipped"))
            for group in self.guard.groups
        }
        self._pending.append(_Pending(step, draw, results))

    def settle(self, most: int) -> Iterator[Watched]:
        """Wait until at most ``most`` steps are in flight; yield each of the others once the guard saw it."""
        while len(self._pending) > most:
            done = self._pending.popleft()
            results = jax.device_get(done.results)
            losses = {group: float(loss) for group, (loss, _) in results.items()}
            skipped = tuple(group for group, (_, skip) in results.items() if skip)
            seen = Watched(done.step, done.draw, losses, skipped)
            self.guard.observe(seen)
            yield seen

    def forget(self) -> None:
        """Drop the steps in flight: the run goes on from an earlier checkpoint."""
        self._pending.clear()
        self._block = -1
