"""Examine the workdir of a training run for ``hsmtss doctor``: every checkpoint is read and verified."""

import json
from pathlib import Path

from hsmtss_jax.bundles.bundle import load_bundle
from hsmtss_jax.cli.doctor.finding import Finding, size
from hsmtss_jax.train.checkpoint import Checkpointer
from hsmtss_jax.train.digest import DIGEST, DamagedError
from hsmtss_jax.train.lock import owner


def examine_run(workdir: Path) -> list[Finding]:
    """Return findings about a workdir; the run is bad where no checkpoint is whole.

    Raises:
      ValueError: it is no workdir.
    """
    if not (workdir / "checkpoints").is_dir():
        raise ValueError(f"{workdir} is not the workdir of a training run: it has no checkpoints")
    checkpointer = Checkpointer(workdir)
    try:
        found = [_checkpoint(checkpointer, step) for step in checkpointer.steps()]
        best = checkpointer.best()
    finally:
        checkpointer.close()
    whole = [step for step, finding in found if finding.status != "bad"]
    return [
        _verdict(workdir, whole, best, len(found)),
        *(finding for _, finding in found),
        *_leftovers(checkpointer.folder),
        *_log(workdir),
        *_bundle(workdir / "bundle"),
    ]


def _verdict(workdir: Path, whole: list[int], best: int | None, count: int) -> Finding:
    values = {"whole": whole, "best": best, "checkpoints": count, "owner": owner(workdir)}
    if not whole:
        text = "no checkpoint is whole" if count else "no checkpoint yet"
        return Finding("bad" if count else "note", "run", text, values)
    text = f"goes on from step {whole[-1]}"
    if best is not None:
        text += f", the best is {best}"
    if values["owner"]:
        text += f"; trained by {values['owner']}"
    return Finding("ok", "run", text, values)


def _checkpoint(checkpointer: Checkpointer, step: int) -> tuple[int, Finding]:
    """Return the finding on a checkpoint; a damaged one is bad."""
    folder = checkpointer.folder / str(step)
    name = f"  checkpoint {step}"
    try:
        verified = checkpointer.verify(step)
    except DamagedError as error:
        return step, Finding("bad", name, f"{error}: training passes it over")
    used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    metric = checkpointer.metric(step)
    text = size(used) + ("" if metric is None else f", validation metric {metric:.6g}")
    values = {"bytes": used, "metric": metric, "verified": verified}
    if not verified:
        return step, Finding("note", name, f"{text}; it has no {DIGEST}, as older ones", values)
    return step, Finding("ok", name, text, values)


def _leftovers(folder: Path) -> list[Finding]:
    """Return what is no checkpoint: set aside, or left by a process that was killed."""
    names = sorted(path.name for path in folder.iterdir() if not path.name.isdecimal())
    return [Finding("note", "  beside them", f"{', '.join(names)}")] if names else []


def _log(workdir: Path) -> list[Finding]:
    findings = []
    for name in ("metrics.jsonl", "skipped.jsonl"):
        path = workdir / name
        if not path.exists():
            continue
        rows = path.read_text(encoding="utf-8", errors="replace").splitlines()
        odd = sum(not _is_row(row) for row in rows)
        text = f"{len(rows)} rows" + (f", {odd} of them unreadable" if odd else "")
        findings.append(Finding("note" if odd or "skipped" in name else "ok", f"  {name}", text))
    return findings


def _is_row(text: str) -> bool:
    try:
        return isinstance(json.loads(text)["step"], int)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _bundle(folder: Path) -> list[Finding]:
    if not folder.exists():
        return []
    try:
        bundle = load_bundle(folder)
    except (ValueError, OSError) as error:
        return [Finding("bad", "  bundle", " ".join(str(error).split()))]
    return [Finding("ok", "  bundle", f"{bundle.stage} {bundle.digest[:12]}")]
