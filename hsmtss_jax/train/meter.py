"""Collect the numbers between two log steps on the devices, and format them."""

import dataclasses
import time
from collections.abc import Mapping

import jax
import jax.numpy as jnp

Metrics = Mapping[str, jax.Array]
Sums = dict[str, tuple[jax.Array, jax.Array]]


@dataclasses.dataclass
class LogInterval:
    """Collect sums of the finite values, and the time, from ``step`` on. waited: seconds for data."""

    step: int
    waited: float = 0.0
    sums: Sums | None = None
    begun: float = dataclasses.field(default_factory=time.perf_counter)

    def add(self, metrics: Metrics) -> None:
        """Add the scalars of a step."""
        self.sums = _begin(metrics) if self.sums is None else _add(self.sums, metrics)

    def means(self) -> dict[str, float]:
        """Return the mean of each number over the steps in which it was finite; NaN where it never was."""
        host = jax.device_get(self.sums) or {}
        return {
            name: float(total) / float(count) if count else float("nan")
            for name, (total, count) in host.items()
        }

    def speed(self, step: int, waited: float, batch_size: int) -> dict[str, float]:
        """Return steps and examples a second (NaN for none), and the share of the time that data took."""
        seconds = max(time.perf_counter() - self.begun, 1e-9)
        rate = (step - self.step) / seconds if step > self.step else float("nan")
        return {
            "speed/steps_per_second": rate,
            "speed/examples_per_second": rate * batch_size,
            "speed/data_wait": (waited - self.waited) / seconds,
        }


@jax.jit
def _begin(metrics: Metrics) -> Sums:
    return {name: _finite(value) for name, value in metrics.items()}


@jax.jit
def _add(sums: Sums, metrics: Metrics) -> Sums:
    new = {name: _finite(value) for name, value in metrics.items()}
    return jax.tree.map(jnp.add, sums, new)


def _finite(value: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return (the value or 0, 1 or 0 for whether it is finite)."""
    finite = jnp.isfinite(value)
    return jnp.where(finite, value, 0).astype(jnp.float32), finite.astype(jnp.float32)


def short(values: Mapping[str, float]) -> dict[str, str]:
    """Format the losses for a progress bar."""
    return {
        name.removeprefix("train/"): f"{value:.4g}"
        for name, value in values.items()
        if name.endswith("/loss")
    }


def line(values: Mapping[str, float]) -> str:
    """Format numbers as a line of a log."""
    return " ".join(f"{name}={value:.4g}" for name, value in values.items())
