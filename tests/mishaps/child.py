"""``python -m tests.mishaps.child FOLDER``: a training that saves all the time, to be killed."""

import sys
from pathlib import Path

import jax

from tests.mishaps.runs import config, go

KILLED = {"steps": 300, "save_every": 3, "log_every": 3}

if __name__ == "__main__":
    jax.config.update("jax_disable_most_optimizations", True)
    jax.config.update("jax_numpy_rank_promotion", "raise")
    go(config(**KILLED), Path(sys.argv[1]))
