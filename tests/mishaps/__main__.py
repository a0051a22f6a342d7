"""``python -m tests.mishaps``: kill, damage and derail trainings, and count how they go on.

Every case must end with the weights of an undisturbed training, or with one line and its good checkpoints
whole. The same seed draws the same cases.
"""

import argparse
import collections
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from hsmtss_jax.train.checkpoint import Checkpointer
from hsmtss_jax.train.digest import DamagedError
from tests.mishaps.child import KILLED
from tests.mishaps.damages import DAMAGES
from tests.mishaps.runs import config, finite, go, same, with_rate

GOOD = ("same weights", "left behind", "stopped, good checkpoints kept")
CHILD = [sys.executable, "-m", "tests.mishaps.child"]


def damage(rng: np.random.Generator, folder: Path, straight: Path) -> tuple[str, str]:
    """Damage the newest checkpoint, or the two newest ones, of a run stopped at 80; go on."""
    shutil.copytree(straight, folder, ignore=shutil.ignore_patterns("90", "bundle"))
    what = []
    for step in ("80", "60")[: 1 + (rng.random() < 0.3)]:
        done = DAMAGES[int(rng.integers(len(DAMAGES)))]
        what.append(f"{step}: {done(rng, folder / 'checkpoints' / step)}")
    outcome = go(config(), folder)
    return "; ".join(what), "same weights" if same(folder, straight) else f"other at {outcome.step}"


def diverge(rng: np.random.Generator, folder: Path, straight: Path) -> tuple[str, str]:
    """Spoil the training by a learning rate, or by batches; then go on as it should have been."""
    if rng.random() < 0.5:
        lr, stop = 10.0 ** rng.uniform(1, 25), int(rng.integers(30, 70))
        go(config(), folder, stop_at=stop)
        what = f"a learning rate of {lr:.0e} from step {stop} on"
        try:
            spoiled = go(with_rate(config(), lr), folder)
            return what, "left behind" if finite(spoiled.state) else "finished with NaN"
        except FloatingPointError:
            go(config(), folder)
            kept = "stopped, good checkpoints kept"
            return what, kept if same(folder, straight) else "a spoiled checkpoint was kept"
    begin, count = int(rng.integers(62, 75)), int(rng.integers(1, 9))
    amount = float(rng.choice([1e3, 1e8, np.inf, np.nan]))
    what = f"{amount} in the batches {begin} to {begin + count - 1}"
    spoiled = go(config(), folder, range(begin, begin + count), amount)
    fine = spoiled.finished and finite(spoiled.state)
    return what, "left behind" if fine else "not finished"


def kill(rng: np.random.Generator, folder: Path, straight: Path) -> tuple[str, str]:
    """Kill a training at a random time after its start; the last case of a folder lets it end."""
    del straight
    with subprocess.Popen([*CHILD, str(folder)], stdout=subprocess.DEVNULL) as process:
        log = folder / "metrics.jsonl"
        begun, known = time.monotonic(), log.stat().st_size if log.exists() else 0
        while process.poll() is None and time.monotonic() - begun < 120:
            if log.exists() and log.stat().st_size != known:
                break
            time.sleep(0.02)
        wait = float(rng.uniform(0, 1.0))
        time.sleep(wait)
        process.kill()
    half = len(list((folder / "checkpoints").glob("*.orbax-checkpoint-tmp*")))
    return f"killed {wait:.2f} s after its first row, {half} half-written", whole(folder)


def whole(folder: Path) -> str:
    """Return "same weights" where every checkpoint of the folder is whole."""
    checkpointer = Checkpointer(folder)
    try:
        for step in checkpointer.steps():
            assert checkpointer.verify(step)
    except DamagedError as error:
        return f"checkpoint {step}: {error}"
    finally:
        checkpointer.close()
    return "same weights"


Case = Callable[[np.random.Generator, Path, Path], tuple[str, str]]
KINDS: dict[str, Case] = {"damages": damage, "divergences": diverge}


def tally(kind: str, count: int, seed: int, straight: Path, *, say=print) -> collections.Counter:
    """Try ``count`` cases; return how many ended how, and tell each that went wrong."""
    found: collections.Counter = collections.Counter()
    for number in range(count):
        with tempfile.TemporaryDirectory(prefix="mishap-") as name:
            rng = np.random.default_rng([seed, list(KINDS).index(kind), number])
            try:
                what, ended = KINDS[kind](rng, Path(name, "run"), straight)
            except Exception as error:
                what, ended = "", f"{type(error).__name__}: {error}"
            found[ended] += 1
            if ended not in GOOD:
                say(f"{kind} {number}: {ended}: {what}")
    return found


def kills(count: int, seed: int, *, say=print) -> collections.Counter:
    """Kill one training ``count`` times, let it end, and compare it with one that was not."""
    found: collections.Counter = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="mishap-") as name:
        go(config(**KILLED), Path(name, "straight"))
        folder = Path(name, "run")
        folder.mkdir()
        for number in range(count):
            what, ended = kill(np.random.default_rng([seed, 2, number]), folder, folder)
            found[ended] += 1
            say(f"kills {number}: {ended}: {what}")
        subprocess.run([*CHILD, str(folder)], check=True, stdout=subprocess.DEVNULL)
        if not same(folder, Path(name, "straight")):
            found = collections.Counter({"other weights at the end": count})
    return found


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mishaps", description=__doc__)
    parser.add_argument("--damages", type=int, default=60)
    parser.add_argument("--divergences", type=int, default=20)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    jax.config.update("jax_disable_most_optimizations", True)
    results = {}
    with tempfile.TemporaryDirectory(prefix="mishap-") as name:
        straight = Path(name, "straight")
        go(config(), straight)
        for kind in KINDS:
            results[kind] = tally(kind, getattr(given, kind), given.seed, straight)
    results["kills"] = kills(given.kills, given.seed)
    for kind, found in results.items():
        told = ", ".join(f"{count} {ended}" for ended, count in found.most_common())
        print(f"{kind}: {told or 'none'}")
    return int(any(ended not in GOOD for found in results.values() for ended in found))


if __name__ == "__main__":
    sys.exit(main())
