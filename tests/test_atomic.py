"""Files and folders are replaced whole: a reader finds the old content or the new."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hsmtss_jax.atomic import (
    current_folder,
    replace_file,
    replace_folder,
    sweep,
    working_path,
    write_text,
)
from hsmtss_jax.bundles.bundle import save_bundle
from hsmtss_jax.bundles.pipeline import ROLES, PipelineConfig, assemble, load_pipeline
from hsmtss_jax.data.records import (
    DatasetCard,
    RecordReader,
    Split,
    read_index,
    read_kinds,
    write_dataset,
)
from hsmtss_jax.testing.bundles import tiny_upstream


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "report.json"
    with replace_file(path) as work:
        work.write_text("new")
        assert work.parent == tmp_path and not path.exists()
    assert path.read_text() == "new" and names(tmp_path) == ["report.json"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_keeps_the_old_file(tmp_path, error):
    path = tmp_path / "report.json"
    write_text(path, "old")
    with pytest.raises(type(error)), replace_file(path) as work:
        work.write_text("half")
        raise error
    assert path.read_text() == "old" and names(tmp_path) == ["report.json"]


def test_files_and_folders_have_the_rights_of_new_ones(tmp_path):
    mask = os.umask(0o027)
    try:
        write_text(tmp_path / "file", "é")
        with replace_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(mask)
    assert (tmp_path / "file").read_bytes() == "é".encode()
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o750


def test_a_folder_takes_the_place_of_the_old_one(tmp_path):
    for content in ("old", "new"):
        with replace_folder(tmp_path / "deep" / "folder") as work:
            (work / content).touch()
    assert names(tmp_path) == ["deep", "folder", "new"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_keeps_the_old_folder(tmp_path, error):
    with replace_folder(tmp_path / "folder") as work:
        (work / "old").touch()
    with pytest.raises(type(error)), replace_folder(tmp_path / "folder") as work:
        (work / "new").touch()
        raise error
    assert names(tmp_path) == ["folder", "old"]


def test_an_error_names_the_file_that_was_asked_for(tmp_path):
    path = tmp_path / "gone" / "report.json"
    with pytest.raises(OSError, match="No such file") as raised:
        write_text(path, "x")
    assert raised.value.filename == str(path)


def test_names_of_any_length_have_working_names(tmp_path):
    path = tmp_path / ("\N{DOG FACE}" * 60 + ".wav")
    write_text(path, "x")
    assert path.read_text() == "x"
    assert len(working_path(path).name.encode()) < 255


WRITES = """
import sys, time
from hsmtss_jax.atomic import replace_file, replace_folder
with replace_file(sys.argv[1] + "/a.txt") as a, replace_folder(sys.argv[1] + "/b") as b:
    a.write_text("half"); (b / "c").write_text("half")
    print("working", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def writer(tmp_path):
    """A process in the midst of writing into tmp_path."""
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-c", WRITES, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"working\n"
        yield process
        process.kill()


def test_what_a_killed_process_left_is_swept(tmp_path, writer):
    """Not while it is alive, and nothing but its own."""
    others = [".a.txt.tmp", ".hsmtss-0.tmp", "b.hsmtss-00000000-1-1-00000000.tmp"]
    foreign = ".a.hsmtss-00000000-999999999-1-00000000.tmp"  # of another machine
    for name in (*others, foreign):
        (tmp_path / name).touch()
    assert sweep(tmp_path) == [] and len(os.listdir(tmp_path)) == 6
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    assert len(sweep(tmp_path)) == 2
    assert names(tmp_path) == sorted([*others, foreign])


def test_the_next_writer_sweeps_the_folder(tmp_path, writer):
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    with replace_file(tmp_path / "d.txt"):
        assert len(os.listdir(tmp_path)) == 1
    assert names(tmp_path) == ["d.txt"]


def test_an_id_in_use_again_is_another_process(tmp_path):
    work = working_path(tmp_path / "a.txt")
    work.touch()
    assert sweep(tmp_path) == []
    pid = f"-{os.getpid()}-"
    before, after = work.name.split(pid)
    began, rest = after.split("-", 1)
    if not began:
        pytest.skip("this system does not tell when a process began")
    work.rename(tmp_path / f"{before}{pid}{int(began) - 1}-{rest}")
    assert len(sweep(tmp_path)) == 1 and names(tmp_path) == []


def write(folder, text):
    with replace_folder(folder) as work:
        (work / "a.txt").write_text(text)


def read(folder):
    return (current_folder(folder) / "a.txt").read_text()


@pytest.fixture
def dying(monkeypatch):
    """dying(n): the process dies at the n-th rename from now on."""

    def die_at(number):
        rename, calls = os.rename, []

        def renamed(source, target):
            calls.append(source)
            if len(calls) >= number:
                raise KeyboardInterrupt
            rename(source, target)

        monkeypatch.setattr("os.rename", renamed)

    yield die_at
    monkeypatch.undo()


def test_a_move_that_fails_is_rolled_back(tmp_path, monkeypatch):
    write(tmp_path / "b", "old")
    rename = os.rename

    def failing(source, target):
        if str(source).endswith(".tmp"):
            raise OSError("no")
        rename(source, target)

    monkeypatch.setattr("os.rename", failing)
    with pytest.raises(OSError, match="no"):
        write(tmp_path / "b", "new")
    assert (tmp_path / "b" / "a.txt").read_text() == "old"


@pytest.mark.parametrize("number", [1, 2])
def test_death_between_the_renames_keeps_the_former_folder(tmp_path, dying, monkeypatch, number):
    write(tmp_path / "b", "old")
    dying(number)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "b", "new")
    monkeypatch.undo()
    assert read(tmp_path / "b") == "old"
    write(tmp_path / "b", "newer")
    assert read(tmp_path / "b") == "newer" and len(list(tmp_path.iterdir())) == 1


def test_death_between_the_renames_keeps_a_data_set(tmp_path, dying, monkeypatch):
    def prepare(text):
        splits = {"train": Split(1, [{"id": text}])}
        write_dataset(
            tmp_path / "set", DatasetCard(name="set", description=""), {"id": "text"}, splits
        )

    prepare("old")
    dying(2)
    with pytest.raises(KeyboardInterrupt):
        prepare("new")
    monkeypatch.undo()
    assert read_kinds(tmp_path / "set") == {"id": "text"}
    assert read_index(tmp_path / "set", "train") == [{"id": "old"}]
    assert RecordReader(tmp_path / "set", "train").read(0) == {"id": "old"}
    prepare("newer")
    assert read_index(tmp_path / "set", "train") == [{"id": "newer"}]
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_death_between_the_renames_keeps_a_pipeline(tmp_path, dying, monkeypatch):
    made = {
        "params": {"kernel": np.zeros(2, np.float32)},
        "digest": "",
        "upstream": {},
        "files": {},
    }
    bundles = {}
    for name, bundle in tiny_upstream(ROLES, abstract=True).items():
        save_bundle(tmp_path / "stages" / name, bundle.__class__(name, bundle.config, **made))
        bundles[name] = str(tmp_path / "stages" / name)
    assemble(PipelineConfig(bundles=bundles, licence="old"), tmp_path / "out" / "p")
    dying(1 + 1 + len(ROLES))  # each stage bundle is moved into place inside the new folder
    with pytest.raises(KeyboardInterrupt):
        assemble(PipelineConfig(bundles=bundles, licence="new"), tmp_path / "out" / "p")
    monkeypatch.undo()
    assert load_pipeline(tmp_path / "out" / "p").meta["licence"] == "old"
