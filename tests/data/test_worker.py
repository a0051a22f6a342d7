"""Workers: away from accelerators, gone with their parent."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_worker_takes_no_accelerator_and_ends_with_its_parent():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cuda"}
    run = subprocess.run(
        [sys.executable, "-m", "tests.data.orphan"], env=environment, capture_output=True, text=True
    )
    assert run.returncode == -9, run.stderr
    pid, cpu = run.stdout.split()
    assert cpu == "True" and int(pid) > 0
    until = time.monotonic() + 20
    while alive(int(pid)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(int(pid))
