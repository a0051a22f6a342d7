"""Fetch a small public file, whole and as it is known, or not at all."""

import hashlib
import urllib.error
import urllib.request
from pathlib import Path

from hsmtss_jax.atomic import replace_file

LARGEST = 50_000_000  # bytes


def download(url: str, path: str | Path, sha256: str = "", timeout: float = 60.0) -> None:
    """Fetch ``url`` into a file, unless it is there.

    sha256: that it must have, "" for any. timeout: of the connection [s]. Raises OSError where it cannot
    be had, ValueError where the content, there or fetched, is another.
    """
    target = Path(path)
    if target.is_file():
        _check(target.read_bytes(), sha256, str(target))
        return
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            content = answer.read(LARGEST + 1)
    except (urllib.error.URLError, TimeoutError) as error:
        raise OSError(f"{url} cannot be had ({error}): give the file with --source") from error
    _check(content, sha256, url)
    target.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(target) as work:
        work.write_bytes(content)


def _check(content: bytes, sha256: str, where: str) -> None:
    if len(content) > LARGEST:
        raise ValueError(
            f"{where} is larger than {LARGEST // 10**6} MB: not the file that is meant"
        )
    found = hashlib.sha256(content).hexdigest()
    if sha256 and found != sha256:
        raise ValueError(
            f"{where} has the sum {found[:12]}, not {sha256[:12]}: not the list that is meant"
        )
