"""Write a run's numbers, pictures and sounds: ``metrics.jsonl`` and TensorBoard event files.

``skipped.jsonl`` holds the steps whose update was skipped, with the examples of their batch.

Legend: H, W image rows and columns.
"""

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tensorboardX import SummaryWriter

from hsmtss_jax.atomic import write_text
from hsmtss_jax.train.stage import Panel


class Writer:
    """Write under ``workdir``; lines of a former run beyond ``resume_step`` are dropped."""

    def __init__(self, workdir: str | Path, resume_step: int = 0) -> None:
        folder = Path(workdir)
        folder.mkdir(parents=True, exist_ok=True)
        self._skipped = folder / "skipped.jsonl"
        path = folder / "metrics.jsonl"
        for each in (path, self._skipped):
            _drop_after(each, resume_step)
        self._lines = path.open("a", encoding="utf-8")
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=resume_step + 1)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write one JSON line, with null for NaN, and one TensorBoard point a finite value."""
        plain = {name: float(value) for name, value in values.items()}
        line = {name: value if math.isfinite(value) else None for name, value in plain.items()}
        self._lines.write(json.dumps({"step": step, "time": round(time.time(), 3), **line}) + "\n")
        self._lines.flush()
        for name, value in plain.items():
            if not math.isfinite(value):
                continue
            self._board.add_scalar(name, value, step)

    def skipped(self, step: int, reason: str, examples: Sequence[str]) -> None:
        """Write down a step whose update was skipped: why, and the names of its examples."""
        line = {"step": step, "time": round(time.time(), 3), "reason": reason}
        with self._skipped.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps({**line, "examples": list(examples)}) + "\n")

    def panels(self, step: int, panels: Mapping[str, Panel]) -> None:
        """Write images [H, W] (first row at the bottom, as spectrograms are drawn) and sounds."""
        for name, panel in panels.items():
            value = np.asarray(panel.value, np.float32)
            if panel.kind == "image":
                self._board.add_image(name, _unit_range(value)[::-1], step, dataformats="HW")
            else:
                self._board.add_audio(name, np.clip(value, -1, 1), step, panel.sample_rate)

    def close(self) -> None:
        """Flush and close both."""
        self._lines.close()
        self._board.close()


def _drop_after(path: Path, step: int) -> None:
    """Keep the lines up to ``step``: a run that is resumed writes the later ones again."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue  # a line cut short when the former run was killed
    write_text(path, "".join(kept))


def _unit_range(image: np.ndarray) -> np.ndarray:
    """Stretch to 0..1; a flat image becomes 0."""
    low, high = float(image.min()), float(image.max())
    return (image - low) / (high - low) if high > low else np.zeros_like(image)
