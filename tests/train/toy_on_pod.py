"""The toy stage trained by several processes, once straight and once with a stop.

python -m tests.train.toy_on_pod COORDINATOR PROCESS FOLDER
"""

import dataclasses
import sys
from pathlib import Path

from hsmtss_jax.config import MeshConfig
from hsmtss_jax.testing import processes
from hsmtss_jax.train.loop import train
from tests.train.toy import toy_config, toy_stage


def main(coordinator, process, folder):
    processes.join(coordinator, process)
    run = dataclasses.replace(toy_config().run, steps=6, eval_every=6, save_every=3)
    config = toy_config(mesh=MeshConfig(data=2, fsdp=2, multi_host=True), run=run)
    for name, stop_at in (("straight", None), ("resumed", 3), ("resumed", None)):
        outcome = train(config, toy_stage(config), Path(folder) / name, stop_at=stop_at, quiet=True)
    assert outcome.finished and outcome.validation["one"] == 1.0


if __name__ == "__main__":
    main(*sys.argv[1:])
