"""What the stages trained on single clips share: AudioMAE, the codec and the acoustic decoder.

Legend: B batch, L samples.
"""

from typing import Any

import grain
import jax
import jax.numpy as jnp

from hsmtss_jax.data.pipeline import clip_dataset
from hsmtss_jax.train.stage import Shard, Stage


class ClipStage(Stage):
    """A stage that reads {"audio" [B, L], "length" [B]}. Its config has ``samples``, L."""

    config: Any  # a StageConfig with ``samples``

    def batch_spec(self) -> dict[str, jax.ShapeDtypeStruct]:
        size = self.data.batch_size
        return {
            "audio": jax.ShapeDtypeStruct((size, self.config.samples), jnp.float32),
            "length": jax.ShapeDtypeStruct((size,), jnp.int32),
        }

    def dataset(self, split: str, shard: Shard, seed: int) -> grain.IterDataset:
        return clip_dataset(self.data, split, shard, seed, samples=self.config.samples)
