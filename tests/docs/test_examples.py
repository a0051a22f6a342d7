"""What the README and the manual show is run with the demo model, where that takes seconds."""

import shutil
import subprocess

import pytest

from hsmtss_jax.audio.io import read_audio, write_audio
from hsmtss_jax.bundles.pipeline import PipelineConfig, write_pipeline
from hsmtss_jax.cli.main import main
from hsmtss_jax.testing.mask_systems import tiny_mask_pipeline
from tests.docs import pages

NAMES = (
    "street",
    "park",
    "hour",
    "factory",
    "in",
    "a",
    "b",
    "recordings/c",
    "references/a",
    "mixtures/a",
)
QUICK = (
    *("separate", "describe", "doctor", "codec", "evaluate instructions"),
    *("visualize attention", "visualize commands"),
)
PYTHON = [
    (pages.name(path), block) for path in pages.PAGES for block in pages.blocks(path, "python")
]
# .ci/run has the first; the others take hours of training
CI = ("result.wav", "runs/pipeline", "runs/local_separator")
COMMANDS = {
    " ".join(words): words
    for path in pages.PAGES
    for block in pages.blocks(path, "")
    for program, *words in pages.commands(block)
    if program == "hsmtss" and " ".join(words).startswith(QUICK) and words[-1] not in CI
}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder with every recording that the pages name, a second of speech in rain each.

    A tiny bundle stands in place of the one imported from AudioSep, and of an adapted one.
    """
    folder = tmp_path_factory.mktemp("recordings")
    shutil.copytree(pages.ROOT / "examples", folder / "examples")
    for name in ("recordings", "references", "mixtures"):
        (folder / name).mkdir()
    config = PipelineConfig(bundles={}, separator="mask_separator", storage={"*": "float32"})
    for place in ("runs/audiosep", "my_separator"):
        write_pipeline(config, tiny_mask_pipeline().bundles, folder / place)
    sound = read_audio(folder / "examples" / "speech_and_rain.flac")
    for name in NAMES:
        write_audio(folder / f"{name}.wav", sound.samples[: sound.sample_rate], sound.sample_rate)
    if shutil.which("ffmpeg"):
        picture = ["-f", "lavfi", "-i", "testsrc=d=1:s=64x48", "-i", folder / "a.wav"]
        command = ["ffmpeg", "-v", "error", *picture, "-c:v", "mpeg4", folder / "film.mp4"]
        subprocess.run(command, check=True)
    return folder


@pytest.mark.parametrize(("page", "block"), PYTHON, ids=[page for page, _ in PYTHON])
def test_python_runs(page, block, recordings, monkeypatch):
    monkeypatch.chdir(recordings)
    exec(compile(block, page, "exec"), {})


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_command_runs(words, recordings, monkeypatch, capsys):
    if "film.mp4" in words and shutil.which("ffmpeg") is None:
        pytest.skip("films take the ffmpeg program")
    monkeypatch.chdir(recordings)
    assert main(words) == 0, capsys.readouterr().err
