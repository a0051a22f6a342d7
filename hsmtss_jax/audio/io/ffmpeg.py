"""Decode with the ffmpeg program what libsndfile lacks: AAC, WMA, AMR, AC-3, Opus, films.

The sound comes through a pipe, so the memory in use does not depend on its length. The count of samples is
found by decoding once; containers tell only a rounded duration. Only local files are opened, whatever a
playlist in the file asks for.
"""

import contextlib
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from hsmtss_jax.audio.io.foreign import Facts, Opened
from hsmtss_jax.audio.io.piece import Damaged

_CHUNK = 1 << 18  # bytes
_STREAM = re.compile(r"^\s+Stream #0:\d+\S*: Audio: (\w+)", re.MULTILINE)
_INPUT = re.compile(r"^Input #0, ([\w-]+)", re.MULTILINE)
_DURATION = re.compile(r"^\s+Duration: (\d+):(\d+):(\d+\.\d+)", re.MULTILINE)


def available() -> bool:
    """Return whether there is an ffmpeg on PATH."""
    return shutil.which("ffmpeg") is not None


def facts(path: Path) -> Facts:
    """Read what the containers say. Raises Damaged for what is no sound."""
    run = subprocess.run(input_options(path, "info"), capture_output=True, check=False)
    text = run.stderr.decode("utf-8", "replace")
    codecs, container = _STREAM.findall(text), _INPUT.search(text)
    if container is None:
        raise Damaged(f"ffmpeg: {last_line(text)}")
    if not codecs:
        raise Damaged("it holds no sound")
    seconds = _DURATION.search(text)
    duration = (
        sum(float(x) * y for x, y in zip(seconds.groups(), (3600, 60, 1), strict=True))
        if seconds
        else None
    )
    return Facts(container[1], codecs[0], len(codecs), duration)


def tags(path: Path) -> dict[str, str]:
    """Read title, artist and the like, by ffmpeg's names. Raises Damaged for what is no sound."""
    form = ["-map_metadata:g", "0:s:a:0", "-f", "ffmetadata", "pipe:1"]
    found: dict[str, str] = {}
    for options in (form, form[2:]):  # Ogg tags the stream, others the file
        run = subprocess.run(
            [*input_options(path, "error"), *options], capture_output=True, check=False
        )
        if run.returncode:
            raise Damaged(f"ffmpeg: {last_line(run.stderr.decode('utf-8', 'replace'))}")
        found |= _metadata(run.stdout.decode("utf-8", "replace"))
    return found


def _metadata(text: str) -> dict[str, str]:
    """Parse the part of ffmpeg's metadata format that is the file's: "name=text", special signs escaped."""
    found = {}
    entries = re.split(r"(?<!\\)(?:\\\\)*\n", text)
    for entry in entries[1:]:
        if entry.startswith("["):  # a chapter or a stream
            break
        name, equals, value = entry.partition("=")
        if equals and value:
            found[re.sub(r"\\(.)", r"\1", name)] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
    return found


@contextlib.contextmanager
def decode(path: Path, start: int = 0, stop: int | None = None) -> Iterator[Opened]:
    """Decode the first stream of sound from sample ``start`` to before ``stop``.

    Raises:
      Damaged: nothing can be decoded.
    """
    command = [*input_options(path, "error"), *_output(start, stop)]
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages)
        assert process.stdout is not None

        def complaint() -> str | None:
            status = process.wait()
            messages.seek(0)
            text = messages.read(1 << 16).decode("utf-8", "replace")
            return f"ffmpeg: {last_line(text)}" if status or text.strip() else None

        try:
            header = _wav_header(process.stdout)
            if header is None:
                raise Damaged(complaint() or "ffmpeg: nothing can be decoded")
            yield Opened(*header, _samples(process.stdout, header[1]), complaint)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()


def input_options(path: Path, verbosity: str) -> list[str]:
    """Return the command of ffmpeg up to its input."""
    program = shutil.which("ffmpeg") or "ffmpeg"
    only_files = ["-protocol_whitelist", "file"]
    return [program, "-nostdin", "-hide_banner", "-v", verbosity, *only_files, "-i", f"file:{path}"]


def _output(start: int, stop: int | None) -> list[str]:
    end = "" if stop is None else f":end_sample={stop}"
    trim = ["-af", f"atrim=start_sample={start}{end}"] if start or end else []
    wav = ["-c:a", "pcm_f32le", "-bitexact", "-f", "wav"]
    return ["-map", "0:a:0", "-map_metadata", "-1", *trim, *wav, "pipe:1"]


def _wav_header(pipe: IO[bytes]) -> tuple[int, int] | None:
    """Read up to the samples; return the rate [Hz] and the number of channels."""
    found = None
    pipe.read(12)
    while len(head := pipe.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"data":
            return found
        body = pipe.read(size + size % 2)
        if name == b"fmt " and len(body) >= 16:
            channels, rate = struct.unpack_from("<HI", body, 2)
            found = (rate, channels)
    return None


def _samples(pipe: IO[bytes], channels: int) -> Iterator[np.ndarray]:
    size = 4 * channels
    while data := pipe.read(_CHUNK // size * size):
        yield np.frombuffer(data[: len(data) // size * size], "<f4").reshape(-1, channels)


def last_line(text: str) -> str:
    """Return the last message of a part of ffmpeg, in brackets, or else its last line."""
    lines = [line for line in text.splitlines() if line.strip()]
    parts = [line for line in lines if line.startswith("[")]
    last = (parts or lines or ["no message"])[-1]
    return " ".join(re.sub(r"^(\[[^]]*\]|file:.*?:(?= )) *", "", last).split())
