"""``python -m tests.fuzz``: draw odd files and odd commands, run them, and count what goes wrong.

In this process, with a system without networks: what is tried is everything around them. The same seed draws
the same cases; ``--only KIND NUMBER`` repeats one and keeps its folder.
"""

import argparse
import collections
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.fuzz.commands import odd_options, odd_output, odd_sentence
from tests.fuzz.files import odd_file
from tests.fuzz.verdicts import FAULTS, Ran, judge, judge_files, judge_results, run

SLOW = 30.0  # [s] that no case may take


def try_file(seed: int, number: int, folder: Path) -> tuple[str, Ran, list[str]]:
    """Separate an odd file; return what it was, what happened, and the faults."""
    file = odd_file(np.random.default_rng([seed, 0, number]))
    source = f"in.{file.suffix}"
    (folder / source).write_bytes(file.content)
    words = ["separate", source, "-p", "extract the dog", "-o", "out.wav", "--two-stems", "-q"]
    words += ["--bit-depth", "float", "--no-figure", "--json", "report.jsonl"]
    ran = run(words, folder)
    return file.kind, ran, judge(ran) or judge_files(ran, folder, source, file.frames)


def try_command(seed: int, number: int, folder: Path) -> tuple[str, Ran, list[str]]:
    """Run an odd sentence with odd options; return the command, what happened, and the faults."""
    rng = np.random.default_rng([seed, 1, number])
    source = _recording(rng, folder)
    words = ["separate", source, "--no-figure"]
    for _ in range(1 if rng.random() < 0.8 else 2):
        words += [f"--prompt={odd_sentence(rng)}"]
    words += ["-o", odd_output(rng), *odd_options(rng)]
    ran = run(words, folder)
    return " ".join(map(repr, words)), ran, judge(ran) or judge_results(ran, folder, source)


def _recording(rng: np.random.Generator, folder: Path) -> str:
    import soundfile

    rate, channels = int(rng.choice([8_000, 16_000, 44_100])), int(rng.choice([1, 2]))
    noise = rng.uniform(0.01, 2) * rng.normal(size=(int(rate * rng.uniform(0.1, 0.6)), channels))
    soundfile.write(folder / "in.wav", noise, rate, subtype="FLOAT")
    return "in.wav"


KINDS = {"files": try_file, "commands": try_command}


def tally(kind: str, count: int, seed: int, *, say=print) -> collections.Counter:
    """Try ``count`` cases; return how many ended how, and tell each fault."""
    found: collections.Counter = collections.Counter()
    for number in range(count):
        with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
            began = time.monotonic()
            what, ran, faults = KINDS[kind](seed, number, Path(name))
            if time.monotonic() - began > SLOW:
                say(f"{kind} {number} took {time.monotonic() - began:.0f} s: {what[:300]}")
        found["separated" if ran.status == 0 else "refused"] += 1
        for fault in faults:
            found[fault] += 1
            last = (ran.crash or ran.err or ran.chatter).strip().splitlines()[-1:]
            say(f"{kind} {number}: {fault}: {what[:300]} | {ran.status} {''.join(last)[:300]}")
    return found


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--commands", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs=2, metavar=("KIND", "NUMBER"))
    given = parser.parse_args()
    if given.only:
        folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        what, ran, faults = KINDS[given.only[0]](given.seed, int(given.only[1]), folder)
        print(folder, what, ran.status, faults, ran.out, ran.err, ran.chatter, ran.crash, sep="\n")
        return bool(faults)
    wrong = 0
    for kind in KINDS:
        found = tally(kind, getattr(given, kind), given.seed)
        faults = ", ".join(f"{found[fault]} {fault}" for fault in FAULTS)
        print(f"{kind}: {found['separated']} separated, {found['refused']} refused; {faults}")
        wrong += sum(found[fault] for fault in FAULTS)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
