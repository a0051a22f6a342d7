"""Encode with the ffmpeg program what libsndfile cannot write, and copy the pictures of films."""

import contextlib
import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.io.ffmpeg import input_options, last_line
from hsmtss_jax.audio.io.foreign_write import Encode, Target
from hsmtss_jax.audio.io.metadata import Metadata
from hsmtss_jax.audio.io.piece import Damaged

_PICTURES = re.compile(r"^\s+Stream #0:\d+\S*: Video: (?!.*\(attached pic\))", re.MULTILINE)
_FIRST = re.compile(r"^#tb 0: (\d+)/(\d+)$.*?^0,\s*-?\d+,\s*(-?\d+),", re.MULTILINE | re.DOTALL)
_FAST_START = ("mp4", "mov", "ipod")


def available() -> bool:
    """Return whether there is an ffmpeg on PATH."""
    return shutil.which("ffmpeg") is not None


def has_encoder(name: str) -> bool:
    """Return whether this ffmpeg has an encoder."""
    return name in _encoders(shutil.which("ffmpeg") or "ffmpeg")


@functools.lru_cache(maxsize=8)
def _encoders(program: str) -> frozenset[str]:
    command = [program, "-v", "error", "-encoders"]
    run = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return frozenset(re.findall(r"^ A\S* (\S+)", run.stdout.decode(), re.MULTILINE))


def has_pictures(path: Path) -> bool:
    """Return whether a file holds moving pictures, not only a cover."""
    run = subprocess.run(input_options(path, "info"), capture_output=True, check=False)
    return bool(_PICTURES.search(run.stderr.decode("utf-8", "replace")))


def refusal(path: Path, muxer: str) -> str | None:
    """Return why a container does not take the pictures of a film; None where it does."""
    one = ["-map", "0:V", "-c", "copy", "-frames:v", "1", "-f", muxer, "-y", "/dev/null"]
    run = subprocess.run([*input_options(path, "error"), *one], capture_output=True, check=False)
    return last_line(run.stderr.decode("utf-8", "replace")) if run.returncode else None


@contextlib.contextmanager
def encode(work: Path, target: Target, metadata: Metadata) -> Iterator[Encode]:
    """Yield what takes blocks [l, C]. Raises Damaged where encoding fails.

    In a film the sound begins where that of ``metadata.source`` does, and its pictures are copied.
    """
    film = metadata.source if target.form.video else None
    command = [*_sound(target, film), *_pictures(film, target), *_form(target, metadata, film)]
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(
            [*command, f"file:{work}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=messages,
            start_new_session=True,  # Ctrl-C is for us
        )
        pipe = process.stdin
        assert pipe is not None

        def complaint() -> Damaged:
            process.wait()
            messages.seek(0)
            text = messages.read(1 << 16).decode("utf-8", "replace")
            return Damaged(f"ffmpeg: {last_line(text)}")

        def take(block: np.ndarray) -> None:
            try:
                pipe.write(np.ascontiguousarray(block, "<f4").tobytes())
            except BrokenPipeError as error:
                raise complaint() from error

        try:
            yield take
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
            if process.wait():
                raise complaint()
        finally:
            process.kill()
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
            process.wait()


def _sound(target: Target, film: Path | None) -> list[str]:
    program = shutil.which("ffmpeg") or "ffmpeg"
    delay = _sound_start(film) if film else 0.0
    shift = ["-itsoffset", f"{delay:.6f}"] if delay else []
    form = ["-f", "f32le", "-ar", str(target.sample_rate), "-ac", str(target.channels)]
    return [program, "-hide_banner", "-v", "error", "-y", *shift, *form, "-i", "pipe:0"]


def _pictures(film: Path | None, target: Target) -> list[str]:
    """Return the options that take everything but the sound from a film."""
    if film is None:
        return ["-map", "0:a"]
    whole = ["-protocol_whitelist", "file", "-i", f"file:{film}", "-map", "1:V", "-map", "0:a"]
    same = film.suffix.lower() in target.form.suffixes
    texts = ["-map", "1:s?", "-c:s", "copy"] if same else []
    return [*whole, *texts, "-c:v", "copy", "-map_metadata", "1", "-map_chapters", "1"]


def _form(target: Target, metadata: Metadata, film: Path | None) -> list[str]:
    rate = [] if target.kbps is None else ["-b:a", f"{target.kbps}k"]
    tags = {} if film else metadata.tags
    named = [word for name, text in tags.items() for word in ("-metadata", f"{name}={text}")]
    fast = ["-movflags", "+faststart"] if target.form.muxer in _FAST_START else []
    return ["-c:a", target.encoder, *rate, *named, *fast, "-f", target.form.muxer]


def _sound_start(path: Path) -> float:
    """Return when the first sample sounds [s], counted from the start of the film."""
    one = ["-map", "0:a:0", "-frames:a", "1", "-f", "framecrc", "pipe:1"]
    run = subprocess.run([*input_options(path, "error"), *one], capture_output=True, check=False)
    found = _FIRST.search(run.stdout.decode("utf-8", "replace"))
    return int(found[3]) * int(found[1]) / int(found[2]) if found else 0.0
