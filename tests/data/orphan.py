"""A process that reads with a worker, prints the worker's id, and is killed.

python -m tests.data.orphan
"""

import os
import signal

import grain

from hsmtss_jax.config import Shard
from hsmtss_jax.data.batches import Batches


class Where(grain.transforms.Map):
    """Number -> the reading process and what platform JAX would take there."""

    def map(self, element):
        return {"pid": os.getpid(), "cpu": os.environ.get("JAX_PLATFORMS") == "cpu"}


def main():
    order = grain.MapDataset.range(8).repeat()
    batches = Batches(
        order, order.map(Where()), batch_size=2, shard=Shard(), workers=1, drop_remainder=True
    )
    batch = next(iter(batches))
    print(batch["pid"][0], batch["cpu"][0], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
