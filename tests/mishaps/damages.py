"""Damage done to the folder of a checkpoint; each takes a Generator and the folder, and says what it did."""

import shutil
from pathlib import Path

import numpy as np


def _file(rng: np.random.Generator, folder: Path) -> Path:
    """Draw a file of the checkpoint, larger ones as often as small ones."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size]
    return files[int(rng.integers(len(files)))]


def _oldest(folder: Path) -> Path:
    others = [path for path in folder.parent.iterdir() if path.name.isdecimal()]
    return min(others, key=lambda path: int(path.name))


def flip_bit(rng: np.random.Generator, folder: Path) -> str:
    path = _file(rng, folder)
    content = bytearray(path.read_bytes())
    bit = int(rng.integers(8 * len(content)))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    return f"bit {bit} of {path.relative_to(folder)}"


def cut(rng: np.random.Generator, folder: Path) -> str:
    path = _file(rng, folder)
    left = int(rng.integers(path.stat().st_size))
    path.write_bytes(path.read_bytes()[:left])
    return f"{path.relative_to(folder)} cut to {left} bytes"


def empty_file(rng: np.random.Generator, folder: Path) -> str:
    path = _file(rng, folder)
    path.write_bytes(b"")
    return f"{path.relative_to(folder)} emptied"


def delete_file(rng: np.random.Generator, folder: Path) -> str:
    path = _file(rng, folder)
    path.unlink()
    return f"{path.relative_to(folder)} deleted"


def overwrite(rng: np.random.Generator, folder: Path) -> str:
    path = _file(rng, folder)
    path.write_bytes(rng.bytes(path.stat().st_size))
    return f"{path.relative_to(folder)} overwritten with noise"


def delete_part(rng: np.random.Generator, folder: Path) -> str:
    parts = sorted(path for path in folder.iterdir() if path.is_dir())
    part = parts[int(rng.integers(len(parts)))]
    shutil.rmtree(part)
    return f"{part.name}/ deleted"


def empty(rng: np.random.Generator, folder: Path) -> str:
    del rng
    shutil.rmtree(folder)
    folder.mkdir()
    return "emptied"


def replace_by_file(rng: np.random.Generator, folder: Path) -> str:
    shutil.rmtree(folder)
    folder.write_bytes(rng.bytes(100))
    return "a file in its place"


def copy_older(rng: np.random.Generator, folder: Path) -> str:
    del rng
    older = _oldest(folder)
    shutil.rmtree(folder)
    shutil.copytree(older, folder)
    return f"a copy of {older.name}"


def mix_with_older(rng: np.random.Generator, folder: Path) -> str:
    older = _oldest(folder)
    part = ("state", "data", "config")[int(rng.integers(3))]
    shutil.rmtree(folder / part)
    shutil.copytree(older / part, folder / part)
    return f"{part}/ of {older.name}"


def link(rng: np.random.Generator, folder: Path) -> str:
    path = _file(rng, folder)
    path.unlink()
    path.symlink_to("/nowhere")
    return f"{path.relative_to(folder)} a broken link"


def half_written(rng: np.random.Generator, folder: Path) -> str:
    """As a process leaves it that is killed while it saves the next one."""
    work = folder.with_name(f"{int(folder.name) + 10}.orbax-checkpoint-tmp")
    shutil.copytree(folder, work)
    cut(rng, work)
    return f"{work.name} beside it"


DAMAGES = (
    *(flip_bit, flip_bit, flip_bit, cut, empty_file, delete_file, overwrite, delete_part),
    *(empty, replace_by_file, copy_older, mix_with_older, link, half_written),
)
