"""A digest per checkpoint: sizes and sums of its files, written before the checkpoint is committed."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

DIGEST = "digest.json"
_FORMAT = 1
# orbax rewrites these when it commits; nothing is read from them.
_UNCOVERED = (DIGEST, "_CHECKPOINT_METADATA", "commit_success.txt")
_PARTS = ("state", "data", "config")  # folders of a checkpoint


class DamagedError(ValueError):
    """Report a checkpoint that is not what was saved; the text says what is wrong with it."""


def write_digest(folder: Path, step: int, metric: float | None = None) -> None:
    """Write the digest of everything in ``folder``, the checkpoint of ``step``.

    metric: the validation metric that tells the best checkpoint, where it was measured.
    """
    files = {name: [size, _sum(folder / name)] for name, size in _files(folder).items()}
    content = {"format": _FORMAT, "step": step, "metric": metric, "files": files}
    document = {**content, "digest": _sum_of(content)}
    with open(folder / DIGEST, "w", encoding="utf-8") as opened:
        json.dump(document, opened, indent=1, sort_keys=True)
        opened.flush()
        os.fsync(opened.fileno())


def verify(folder: Path, step: int) -> bool:
    """Check a checkpoint against its digest. False: it has none, as older versions wrote them.

    Raises:
      DamagedError: it is not the whole and unchanged checkpoint of ``step``.
    """
    names = _files(folder)
    if not names:
        raise DamagedError("it is empty")
    if missing := [part for part in _PARTS if not (folder / part).is_dir()]:
        raise DamagedError(f"it lacks its {missing[0]}")
    if not (folder / DIGEST).exists():
        return False
    document = read_digest(folder)
    if document["step"] != step:
        raise DamagedError(f"it is a copy of step {document['step']}")
    for name, (size, digest) in document["files"].items():
        if name not in names:
            raise DamagedError(f"its file {name} is missing")
        if names[name] != size:
            raise DamagedError(f"its file {name} has {names[name]} bytes, not {size}")
        if _sum(folder / name) != digest:
            raise DamagedError(f"the bytes of its file {name} have changed")
    return True


def read_digest(folder: Path) -> dict[str, Any]:
    """Read a digest and check it against its own sum.

    Raises:
      DamagedError: it is missing or was changed.
    """
    try:
        document = json.loads((folder / DIGEST).read_bytes())
        content = {key: document[key] for key in ("format", "step", "metric", "files")}
        intact = document["digest"] == _sum_of(content)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(f"its {DIGEST} cannot be read") from error
    if not intact:
        raise DamagedError(f"its {DIGEST} has changed")
    return content


def _files(folder: Path) -> dict[str, int]:
    """Return the sizes of all covered files below a folder, by relative name."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.name not in _UNCOVERED:
            found[path.relative_to(folder).as_posix()] = path.stat().st_size
    return found


def _sum(path: Path) -> str:
    with open(path, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _sum_of(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
