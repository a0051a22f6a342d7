"""A run that ended early goes on; what is complete is left alone; a set appears in one move."""

import json

import pytest
import tensorflow_datasets as tfds

from hsmtss_jax.data.preparation import engine
from hsmtss_jax.data.preparation.workers import run_here
from hsmtss_jax.data.records import DatasetCard, RecordReader, read_index
from tests.data.preparation.sounds import contents
from tests.data.preparation.test_jobs import Squares

ITEMS = [("train", i) for i in range(7)] + [("test", -1), ("test", 9)]


def make(out, items=ITEMS, runner=run_here, progress=None, retry=False):
    plan = engine.plan_jobs(Squares(), items, out, 3)
    told = engine.made_before(plan, out, retry)
    if told is None:
        jobs = engine.run_plan(Squares(), plan, runner, progress, retry=retry)
        card = DatasetCard(name=out.name, description="numbers")
        engine.assemble(Squares(), plan, jobs, out, card, report={"n": 1}, extra={"x.txt": "x"})
    return told


class Stopping:
    """Do ``count`` jobs, then fail as a killed run does."""

    def __init__(self, count):
        self.count, self.done = count, []

    def __call__(self, task, work, keys):
        for number, key in enumerate(keys):
            if number == self.count:
                raise KeyboardInterrupt
            self.done.append(key)
            yield from run_here(task, work, [key])


def test_records_and_index(tmp_path):
    seen = []
    make(tmp_path / "set", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (9, 9)
    reader = RecordReader(tmp_path / "set", "train")
    assert [reader.read(i)["audio"][0] for i in range(7)] == [i * i for i in range(7)]
    assert [row["id"] for row in read_index(tmp_path / "set", "test")] == ["9"]
    names = sorted(contents(tmp_path / "set"))
    assert "set-train.array_record-00002-of-00003" in names and "x.txt" in names
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    told = json.loads((tmp_path / "set" / "report.json").read_text())
    assert told["damaged"] == 1 and told["n"] == 1


def test_another_folder_is_not_replaced(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.wav").touch()
    with pytest.raises(FileExistsError, match="holds something else than a data set"):
        make(tmp_path / "set")
    assert (tmp_path / "set" / "mine.wav").exists()


@pytest.mark.filterwarnings("ignore:label")  # of protobuf, in TFDS
def test_tfds_reads_it(tmp_path):
    make(tmp_path / "set")
    source = tfds.builder_from_directory(str(tmp_path / "set")).as_data_source("train")
    assert len(source) == 7


@pytest.mark.parametrize("after", [0, 1, 3])
def test_an_interrupted_run_goes_on(tmp_path, after):
    make(tmp_path / "straight")
    stopping, rest = Stopping(after), Stopping(99)
    (tmp_path / "b").mkdir()
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "b" / "straight", runner=stopping)
    assert not (tmp_path / "b" / "straight").exists()
    make(tmp_path / "b" / "straight", runner=rest)
    assert len(rest.done) == 4 - after and not set(rest.done) & set(stopping.done)
    assert contents(tmp_path / "b" / "straight") == contents(tmp_path / "straight")


def test_what_is_complete_is_left_alone(tmp_path):
    good = [("train", 1), ("train", 2)]
    assert make(tmp_path / "set", good) is None
    assert make(tmp_path / "set", good, Stopping(0))["n"] == 1
    with pytest.raises(KeyboardInterrupt):  # something else: made anew, and the old one stays
        make(tmp_path / "set", [("train", 3)], Stopping(0))
    assert [row["id"] for row in read_index(tmp_path / "set", "train")] == ["1", "2"]


def test_damaged_files_are_tried_again_where_wanted(tmp_path):
    make(tmp_path / "set")
    assert make(tmp_path / "set") is not None
    again = Stopping(99)
    assert make(tmp_path / "set", runner=again, retry=True) is None and len(again.done) == 4
