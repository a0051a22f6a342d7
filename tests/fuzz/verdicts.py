"""Run a command in this process and judge what it leaves: files, lines, a status."""

import contextlib
import dataclasses
import io
import json
import os
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.io import AudioError, read_audio
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.main import main
from hsmtss_jax.testing.fake_runtime import FakeRuntime

FAKE = Context(load_runtime=lambda source, dtype, device, batch: FakeRuntime(min(batch, 64)))
FAULTS = (
    *("traceback", "half a file", "no file", "samples lost", "sum differs", "no line", "chatter"),
    "odd status",
)


@dataclasses.dataclass(frozen=True)
class Ran:
    """What a command left. chatter: what libraries wrote past Python's streams."""

    status: int
    out: str
    err: str
    chatter: str
    crash: str


@contextlib.contextmanager
def _descriptor(number: int) -> Iterator[io.BufferedRandom]:
    """Catch what is written to a file descriptor."""
    kept = os.dup(number)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), number)
        try:
            yield file
        finally:
            os.dup2(kept, number)
            os.close(kept)


def run(words: Sequence[str], folder: Path) -> Ran:
    """Run ``hsmtss`` in a folder."""
    out, err, crash, status = io.StringIO(), io.StringIO(), "", -1
    with contextlib.chdir(folder), _descriptor(1) as low_out, _descriptor(2) as low_err:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("default")
                    status = main(list(words), FAKE)
            except BaseException:
                crash = traceback.format_exc()
        chatter = b""
        for file in (low_out, low_err):
            file.seek(0)
            chatter += file.read()
    return Ran(status, out.getvalue(), err.getvalue(), chatter.decode("utf-8", "replace"), crash)


def files_below(folder: Path) -> set[str]:
    """Return all files, hidden ones too."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def judge(ran: Ran) -> list[str]:
    """Return the faults of a run that can be told without its files."""
    faults = []
    if ran.crash or "Traceback" in ran.err:
        faults.append("traceback")
    elif ran.status not in (0, 1, 2, 3):
        faults.append("odd status")
    lines = ran.err.splitlines()
    if ran.status in (1, 2) and not any("error" in line for line in lines):
        faults.append("no line")
    if ran.chatter or any(not line.startswith("hsmtss") for line in lines):
        faults.append("chatter")
    return faults


def judge_files(ran: Ran, folder: Path, source: str, frames: int | None) -> list[str]:
    """Return the faults in what ``separate SOURCE -p ... -o out.wav --two-stems --json report`` left.

    frames: samples that went into the source, where that is known.
    """
    left = files_below(folder) - {source, "report.jsonl"}
    if ran.status != 0:
        return ["half a file"] if left else []
    if left != {"out.wav", "out_residual.wav"}:
        return ["half a file" if left else "no file"]
    told = json.loads((folder / "report.jsonl").read_text())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recording = read_audio(folder / source).samples
    target, rest = (read_audio(folder / name).samples for name in sorted(left))
    faults = []
    warned = "warning" in ran.err
    lost = frames is not None and len(target) < frames and not warned
    if lost or target.shape != recording.shape:
        return ["samples lost"]
    if np.abs(target + rest - told["gain"] * recording).max() > 1e-4 * max(
        1, np.abs(recording).max()
    ):
        faults.append("sum differs")
    return faults


def judge_results(ran: Ran, folder: Path, source: str) -> list[str]:
    """Return the faults in what any command left: files that nobody can read, or none at status 0."""
    left = files_below(folder) - {source, "report.jsonl"}
    if any(Path(name).name.startswith(".") for name in left):
        return ["half a file"]
    sounds = [name for name in left if not name.endswith(".png")]
    if ran.status == 2 and sounds:
        return ["half a file"]
    if ran.status == 0 and not sounds and not ran.out.startswith("{"):
        return ["no file"]
    for name in sounds:
        try:
            read_audio(folder / name)
        except AudioError:
            return ["half a file"]
    return []
