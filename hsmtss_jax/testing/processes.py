"""A pod on one machine: the same program in several processes that talk over gloo."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import jax

COUNT, DEVICES = 2, 2  # processes, and devices of each


def join(coordinator: str, process: str) -> None:
    """Join the other processes; the program calls it first of all."""
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.config.update("jax_numpy_rank_promotion", "raise")
    jax.config.update("jax_disable_most_optimizations", True)  # a test runs for a second
    jax.distributed.initialize(coordinator, COUNT, int(process))


def run(module: str, *arguments: str) -> None:
    """Run ``python -m module COORDINATOR PROCESS arguments`` in every process; all must succeed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        coordinator = f"127.0.0.1:{free.getsockname()[1]}"
    running = [
        subprocess.Popen(
            [sys.executable, "-m", module, coordinator, str(process), *arguments],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "JAX_NUM_CPU_DEVICES": str(DEVICES), "JAX_PLATFORMS": "cpu"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for process in range(COUNT)
    ]
    try:
        said = [process.communicate(timeout=300)[0] for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0] * COUNT, "\n".join(said)
