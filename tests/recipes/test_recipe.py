"""A whole recipe, as a newcomer runs it, killed on its way."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from hsmtss_jax.bundles.pipeline import load_pipeline
from hsmtss_jax.cli.main import main
from hsmtss_jax.config import SIZES, load_config
from hsmtss_jax.recipes.recipe import RecipeConfig

SHORT = (
    "run.steps=4",
    "run.log_every=2",
    "run.eval_every=4",
    "run.save_every=2",
    "data.eval_examples=8",
)


@pytest.mark.parametrize("size", SIZES)
def test_every_size_trains_the_whole_chain(size):
    names = [stage.config for stage in load_config("recipe", size, RecipeConfig).stages]
    assert names.index("q_audio") < names.index("joint_separator") < names.index("mask_decoder")
    assert names.index("tf_codec_adversarial") < names.index("acoustic_decoder")


def test_a_dry_run_prints_commands_and_runs_none(tmp_path, capsys):
    argv = ["recipe", "--size=tiny", f"--workdir={tmp_path / 'run'}", "--dry-run"]
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert "# mask_decoder\npython -m hsmtss_jax train mask_decoder --size tiny" in out
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_recipe_that_was_killed_goes_on_to_a_scored_pipeline(tmp_path):
    command = [
        sys.executable,
        "-m",
        "hsmtss_jax",
        "recipe",
        "--size=tiny",
        f"--workdir={tmp_path}",
        *SHORT,
    ]
    hurry = {"JAX_NUM_CPU_DEVICES": "1", "JAX_DISABLE_MOST_OPTIMIZATIONS": "true"}
    environment = {**os.environ, **hurry}
    first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 300
    while not (tmp_path / "audio_mae" / "checkpoints").exists() and time.monotonic() < end:
        time.sleep(0.1)
    first.send_signal(signal.SIGKILL)
    first.wait()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "corpus: done before" in done.stdout and "scores: done in" in done.stdout
    assert load_pipeline(tmp_path / "pipeline").architecture == "hsm_tss"
    assert json.loads((tmp_path / "scores.json").read_text())["rows"]
