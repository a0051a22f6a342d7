"""Read and write audio files: libsndfile and ffmpeg for the formats, soxr for the rates. No JAX."""

from hsmtss_jax.audio.io.errors import AudioError, AudioWarning
from hsmtss_jax.audio.io.read import AudioFile, AudioInfo, probe, read_audio, read_blocks
from hsmtss_jax.audio.io.resample import (
    Resampler,
    resample,
    resample_blocks,
    resampled_length,
    to_mono,
)
from hsmtss_jax.audio.io.spool import STDIN, Spooled, local_path, spool_stdin
from hsmtss_jax.audio.io.write import AudioWriter, check_output, open_writer, write_audio

__all__ = [
    "STDIN",
    "AudioError",
    "AudioFile",
    "AudioInfo",
    "AudioWarning",
    "AudioWriter",
    "Resampler",
    "Spooled",
    "check_output",
    "local_path",
    "open_writer",
    "probe",
    "read_audio",
    "read_blocks",
    "resample",
    "resample_blocks",
    "resampled_length",
    "spool_stdin",
    "to_mono",
    "write_audio",
]
