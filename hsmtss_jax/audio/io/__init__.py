"""Read and write audio files: libsndfile and ffmpeg for the formats, soxr for the rates. No JAX."""

from hsmtss_jax.audio.io.encoding import (
    Encoding,
    check_form,
    choose,
    clip_mode,
    default_format,
    plan_output,
)
from hsmtss_jax.audio.io.errors import AudioError, AudioWarning
from hsmtss_jax.audio.io.metadata import Metadata, read_metadata
from hsmtss_jax.audio.io.read import AudioFile, AudioInfo, probe, read_audio, read_blocks
from hsmtss_jax.audio.io.resample import (
    Resampler,
    resample,
    resample_blocks,
    resampled_length,
    to_mono,
)
from hsmtss_jax.audio.io.spool import STDIN, Spooled, local_path, spool_stdin
from hsmtss_jax.audio.io.write import (
    AudioWriter,
    check_output,
    check_place,
    open_writer,
    overload_gain,
    write_audio,
)

__all__ = [
    "STDIN",
    "AudioError",
    "AudioFile",
    "AudioInfo",
    "AudioWarning",
    "AudioWriter",
    "Encoding",
    "Metadata",
    "Resampler",
    "Spooled",
    "check_form",
    "check_output",
    "check_place",
    "choose",
    "clip_mode",
    "default_format",
    "local_path",
    "open_writer",
    "overload_gain",
    "plan_output",
    "probe",
    "read_audio",
    "read_blocks",
    "read_metadata",
    "resample",
    "resample_blocks",
    "resampled_length",
    "spool_stdin",
    "to_mono",
    "write_audio",
]
