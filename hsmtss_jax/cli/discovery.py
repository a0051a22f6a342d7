"""Find the recordings that a command line names: files, and folders that are walked for audio files.

``-`` is the standard input.
"""

import dataclasses
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

SUFFIXES = frozenset(
    (
        *(".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus"),
        *(".mp2", ".rf64", ".snd", ".w64", ".wav", ".wave"),
        # through ffmpeg; where there is none, each is refused by name
        *(".aac", ".ac3", ".amr", ".eac3", ".m4a", ".m4b", ".mka", ".mkv", ".mov", ".mp4"),
        *(".spx", ".webm", ".wma", ".wv"),
    )
)


NAMED = 3  # files that a folder's warning names


class PassedOver(UserWarning):
    """Warn of files of a folder that are no recordings by their names."""


@dataclasses.dataclass(frozen=True)
class Input:
    """Name a recording. folder: where it was found below the folder that was named, else "."."""

    path: Path
    folder: Path = Path()

    @property
    def beside(self) -> Path:
        """Return the folder for what is made of it: its own; for a pipe the current one."""
        return Path() if self._is_stream else self.path.parent

    @property
    def suffix(self) -> str:
        """Return the suffix in lower case; of a pipe without one ".wav"."""
        return self.path.suffix.lower() or (".wav" if self._is_stream else "")

    @property
    def _is_stream(self) -> bool:
        return self.path.is_relative_to("/dev") or self.path.is_fifo()


def recording_path(name: str | os.PathLike[str]) -> Path:
    """Return the path of a recording that a command line names; "-" is the standard input."""
    from hsmtss_jax.audio.io import STDIN

    return STDIN if os.fspath(name) == "-" else Path(name)


def split_instruction(items: Sequence[str], prompts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return inputs and prompts: without prompts the last item is one. Raises ValueError where it is none."""
    if prompts:
        return list(items), list(prompts)
    form = 'give recordings and an instruction: hsmtss separate FILE "remove the dog"'
    if not items:
        raise ValueError(form)
    last = items[-1]
    if os.path.exists(last) or (Path(last).suffix.lower() in SUFFIXES and " " not in last):
        raise ValueError(f"{last[:200]} stands where the instruction should be: {form}, or use -p")
    return list(items[:-1]), [last]


def find_inputs(
    names: Sequence[str], output: Path | None = None
) -> tuple[list[Input], list[ValueError]]:
    """Return every recording once, in order, and what is wrong with names that hold none.

    Folders are walked without hidden files and without ``output``, a folder for results, should it lie
    in one. What is passed over there is told in a PassedOver warning. Files are not opened: one that is
    missing is found out later.
    """
    found: dict[str, Input] = {}
    problems = []
    for name in names:
        path = recording_path(name)
        files = list(_walk(path, output)) if os.path.isdir(name) else [Input(path)]
        if not files:
            problems.append(ValueError(f"{name}: no audio files in this folder"))
        for file in files:
            found.setdefault(os.path.realpath(file.path), file)
    return list(found.values()), problems


def _walk(root: Path, output: Path | None) -> Iterator[Input]:
    kept_out = None if output is None else os.path.realpath(output)
    others: list[str] = []
    for folder, below, files in os.walk(root):
        below[:] = sorted(
            name
            for name in below
            if not name.startswith(".") and os.path.realpath(Path(folder, name)) != kept_out
        )
        for name in sorted(files):
            path = Path(folder, name)
            if name.startswith("."):
                continue
            if path.suffix.lower() in SUFFIXES:
                yield Input(path, path.parent.relative_to(root))
            else:
                others.append(str(path.relative_to(root)))
    if others:
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        names = ", ".join(others[:NAMED]) + more
        text = f"{root}: passed over, no recordings by their names: {names}"
        warnings.warn(text, PassedOver, stacklevel=2)
