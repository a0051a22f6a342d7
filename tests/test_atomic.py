"""Files and folders are replaced whole: a reader finds the old content or the new."""

import os

import numpy as np
import pytest

from hsmtss_jax.atomic import current_folder, replace_file, replace_folder, write_text
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


def test_a_folder_takes_the_place_of_another(tmp_path):
    write(tmp_path / "deep" / "b", "old")
    write(tmp_path / "deep" / "b", "new")
    assert read(tmp_path / "deep" / "b") == "new"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["b"]


def test_a_failure_leaves_what_was_there(tmp_path):
    write(tmp_path / "b", "old")
    with pytest.raises(RuntimeError), replace_folder(tmp_path / "b") as work:
        (work / "a.txt").write_text("half")
        raise RuntimeError
    assert read(tmp_path / "b") == "old" and len(list(tmp_path.iterdir())) == 1


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


def test_a_file_is_replaced_whole(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), replace_file(tmp_path / "a.txt") as work:
        work.write_text("half")
        raise RuntimeError
    assert (tmp_path / "a.txt").read_text() == "old"
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new" and len(list(tmp_path.iterdir())) == 1
