"""HEAR's scene classifier: a multi-layer perceptron on one frozen vector per clip (HSM-TSS Table VII).

Legend: B batch, C width of the vector, K classes.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

XAVIER = nn.initializers.xavier_normal()


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProbeConfig:
    """Configure the classifier: one hidden layer, as in the HEAR evaluation of MW-MAE."""

    classes: int
    hidden: int = 1024
    dropout: float = 0.1

    def make(self, dtype: Any = jnp.float32) -> "Probe":
        """Create the module with compute dtype ``dtype``."""
        return Probe(config=self, dtype=dtype)


class Probe(nn.Module):
    """Apply Dense, BatchNorm, ReLU, dropout, Dense. Collections ``params`` and ``batch_stats``."""

    config: ProbeConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Classify x [B, C] -> logits float32 [B, K]."""
        cfg = self.config
        x = nn.Dense(cfg.hidden, dtype=self.dtype, kernel_init=XAVIER, name="hidden")(x)
        norm = nn.BatchNorm(
            use_running_average=not train,
            momentum=0.9,
            epsilon=1e-5,
            dtype=jnp.float32,
            name="norm",
        )
        x = nn.Dropout(cfg.dropout, deterministic=not train)(nn.relu(norm(x)))
        return nn.Dense(cfg.classes, dtype=jnp.float32, kernel_init=XAVIER, name="classify")(x)
