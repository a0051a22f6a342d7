"""A folder of six clips of one's own, a corpus of other sounds, a tiny pipeline with a mask decoder."""

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.bundles.pipeline import MASK_DECODER, ROLES, PipelineConfig, write_pipeline
from hsmtss_jax.testing.bundles import tiny_upstream
from hsmtss_jax.testing.corpus import write_tiny_corpus


def write_sounds(folder, names):
    """Write a siren of 3 s for each name."""
    t = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pitch = 800 + 40 * number
        sound = 0.3 * np.sin(2 * np.pi * pitch * t + 40 * np.sin(2 * np.pi * 2 * t))
        soundfile.write(path, sound, SAMPLE_RATE)
    return folder


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    names = [f"siren/a siren wails_{number:02d}.wav" for number in range(6)]
    return write_sounds(tmp_path_factory.mktemp("mine"), names)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_tiny_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A pipeline on disk with a mask decoder and a licence beside it."""
    folder = tmp_path_factory.mktemp("base")
    licence = folder / "LICENCE.md"
    licence.write_text("CC0\n")
    config = PipelineConfig(
        bundles={},
        mask_decoder=True,
        storage={"*": "float32", "joint_separator": "bfloat16"},
        licence="CC0-1.0",
        notices={"LICENCE.md": str(licence)},
    )
    return write_pipeline(config, tiny_upstream([*ROLES, MASK_DECODER]), folder / "pipeline")
