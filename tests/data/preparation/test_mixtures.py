"""Mixtures on disk: those of training, whatever does the jobs and however a run ended."""

import pickle

import numpy as np
import pytest

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.drawn_mixtures import mixture_examples
from hsmtss_jax.data.preparation.beam import on_beam
from hsmtss_jax.data.preparation.mixtures import Draws, MixtureTask, write_mixtures
from hsmtss_jax.data.preparation.workers import in_processes
from hsmtss_jax.data.records import RecordReader
from tests.data.preparation.sounds import contents
from tests.data.preparation.test_engine import Stopping

COUNTS = {"train": 5, "validation": 2, "test": 0}


@pytest.fixture
def draws(tiny_corpus) -> Draws:
    return Draws(DataConfig(root=str(tiny_corpus)), COUNTS, 8000, 3)


def test_they_are_those_that_are_drawn(draws, tmp_path):
    write_mixtures(tmp_path / "set", draws, per_job=2)
    reader = RecordReader(tmp_path / "set", "train")
    drawn = list(mixture_examples(draws.config, "train", 3, 5, samples=8000))
    assert len(reader) == 5 and len(RecordReader(tmp_path / "set", "validation")) == 2
    for number, example in enumerate(drawn):
        record = reader.read(number)
        assert record["id"] == f"train-{number:07d}" and record["length"] == example.length
        near = np.abs(record["mixture"] / 32768.0 - example.mixture) <= 0.51 / 32768
        assert near[np.abs(example.mixture) < 0.99].all()


def test_an_interrupted_run_goes_on_to_the_same(draws, tmp_path):
    straight, again = tmp_path / "a" / "set", tmp_path / "b" / "set"
    write_mixtures(straight, draws, per_job=2)
    with pytest.raises(KeyboardInterrupt):
        write_mixtures(again, draws, Stopping(2), per_job=2)
    write_mixtures(again, draws, in_processes(2), per_job=2)
    assert contents(again) == contents(straight)
    write_mixtures(again, draws, Stopping(0), per_job=2)  # nothing is left to do


def test_other_clips_are_other_mixtures(draws):
    task = MixtureTask(draws)
    assert pickle.loads(pickle.dumps(task)).describe() == task.describe()
    fewer = Draws(draws.config, {"train": 4}, 8000, 3)
    assert MixtureTask(fewer).describe()["clips"] != task.describe()["clips"]


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_beam_makes_the_same(draws, tmp_path):
    pytest.importorskip("apache_beam")
    write_mixtures(tmp_path / "a" / "set", draws, per_job=2)
    write_mixtures(tmp_path / "b" / "set", draws, on_beam(["--runner=DirectRunner"]), per_job=2)
    assert contents(tmp_path / "a" / "set") == contents(tmp_path / "b" / "set")
