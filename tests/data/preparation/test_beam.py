"""Beam makes what one process makes, record for record, and skips what is there."""

import dataclasses
import sys

import pytest

from hsmtss_jax.data.manifest import write_manifest
from hsmtss_jax.data.mixture_records import write_mixtures
from hsmtss_jax.data.preparation.beam import on_beam
from hsmtss_jax.data.preparation.clips import ClipForm
from hsmtss_jax.data.preparation.item import Place
from hsmtss_jax.data.preparation.prepare import Preparation, prepare
from hsmtss_jax.data.preparation.workers import run_here
from tests.data.preparation.layouts.conftest import Copy
from tests.data.preparation.sounds import contents
from tests.data.preparation.test_engine import Stopping

DIRECT = ["--runner=DirectRunner"]


def run(copy, out, runner, **options):
    form = ClipForm(seconds=0.3, long=copy.layout.long)
    options = {"place": Place(root=copy.root), **options}
    made = Preparation(layout=copy.layout, out=out, form=form, per_job=1, **options)
    return prepare(made, runner)


@pytest.fixture
def clotho(tmp_path):
    copy = Copy(tmp_path, "clotho")
    (copy.root / "development" / "Same.wav").write_bytes(b"no sound")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    return copy


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_beam_equals_one_process(clotho, tmp_path):
    pytest.importorskip("apache_beam")
    local, there = tmp_path / "a" / "set", tmp_path / "b" / "set"
    run(clotho, local, run_here)
    counts = {}
    run(clotho, there, on_beam(DIRECT, counts))
    assert contents(there) == contents(local)
    assert counts == {"records": 4, "damaged": 1}


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_what_is_there_is_skipped(clotho, tmp_path):
    pytest.importorskip("apache_beam")
    with pytest.raises(KeyboardInterrupt):
        run(clotho, tmp_path / "b" / "set", Stopping(3))
    counts = {}
    run(clotho, tmp_path / "b" / "set", on_beam(DIRECT, counts))
    assert counts["records"] + counts.get("damaged", 0) == 2


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_sounds_and_parts_in_an_object_store(clotho, tmp_path):
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")
    for path in clotho.root.rglob("*.wav"):
        store.pipe(f"/sounds/{path.relative_to(clotho.root)}", path.read_bytes())
        path.unlink()
    place = Place(root=clotho.root, sounds="memory://sounds")
    run(clotho, tmp_path / "a" / "set", run_here, place=place, work="memory://work")
    assert len(list((tmp_path / "a").iterdir())) == 1
    fresh = Copy(tmp_path / "fresh", "clotho")
    (fresh.root / "development" / "Same.wav").write_bytes(b"no sound")
    run(fresh, tmp_path / "b" / "set", run_here)
    assert contents(tmp_path / "a" / "set") == contents(tmp_path / "b" / "set")


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_mixtures_of_a_manifest(config, tmp_path):
    pytest.importorskip("apache_beam")
    write_manifest(tmp_path / "pairs", config, {"train": 5}, samples=4000)
    config = dataclasses.replace(config, manifest=str(tmp_path / "pairs"))
    write_mixtures(tmp_path / "a" / "set", config, per_file=2)
    write_mixtures(tmp_path / "b" / "set", config, per_file=2, runner=on_beam(DIRECT))
    assert contents(tmp_path / "b" / "set") == contents(tmp_path / "a" / "set")


def test_without_beam_it_is_a_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(
        ValueError, match=r"Beam is not installed .*: pip install \"hsmtss-jax\[beam\]\""
    ):
        on_beam(DIRECT)
