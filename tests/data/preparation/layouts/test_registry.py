"""Every set has a layout, a folder with a script and a page, and takes the same faults in the same way."""

from pathlib import Path

import pytest

from hsmtss_jax.data.preparation.files import walk
from hsmtss_jax.data.preparation.layouts.registry import NAMES, layout_of
from tests.data.preparation.layouts.conftest import Copy
from tests.data.preparation.published import PUBLISHED
from tests.data.preparation.sounds import contents
from tests.data.preparation.test_engine import Stopping

DATA = Path(__file__).parents[4] / "data"
TABLES = {  # the table to spoil, and what is said of it
    "audiocaps": ("train.csv", "has no column 'audiocap_id'"),
    "clotho": ("clotho_captions_development.csv", "has no column 'file_name'"),
    "fsd50k": ("FSD50K.ground_truth/dev.csv", "has no column 'fname'"),
    "wavcaps": ("json_files/AudioSet_SL/as_final.json", "is no JSON"),
    "audioset": ("class_labels_indices.csv", "has no column 'mid'"),
    "jamendo": ("mtg-jamendo-dataset/data/raw_30s.tsv", "has no column 'TRACK_ID'"),
    "speech": ("avspeech_train.csv", "has 1 fields, not video, start"),
    "music": ("test.csv", "has 1 fields, not sound, frames"),
    "vggsound": ("vggsound.csv", "has 1 fields, not video, start"),
    "hive": ("metadata/test/2mix/test_2mix_metadata_tar0001.json", "is no JSON"),
    "esc50": ("meta/esc50.csv", "has no column 'filename'"),
    "folder": ("metadata.csv", "no column file or file_name"),
}


@pytest.fixture(params=NAMES)
def each(request, tmp_path):
    return Copy(tmp_path, request.param)


def test_all_sets_have_a_copy():
    assert set(PUBLISHED) == set(NAMES) == set(TABLES)


@pytest.mark.parametrize("name", NAMES)
def test_a_set_has_its_folder(name):
    assert layout_of(name).name == name
    assert (DATA / name / "prepare.py").is_file()
    page = (DATA / name / "README.md").read_text()
    for word in ("Licence", "Where", "Disk"):
        assert word in page, f"data/{name}/README.md says nothing of {word}"


def test_an_unknown_set_is_a_line():
    with pytest.raises(ValueError, match="no set 'x': choose one of"):
        layout_of("x")


def test_missing_and_damaged_files_are_named(each):
    used = [
        path for path in walk(str(each.root)) if "read_speech" not in path and "2217" not in path
    ]
    gone, bad = used[0], used[-1]
    (each.root / gone).unlink()
    (each.root / bad).write_bytes(b"not a sound")
    each.prepare(*each.layout.parts)
    told = {line[0]: line[2] for line in each.left_out}
    assert told[bad] == "damaged"
    assert "missing" in told.values()


def test_a_wrong_table_is_a_line(each):
    name, said = TABLES[each.layout.name]
    (each.root / name).write_text("wrong;head\nx;y\n")
    with pytest.raises(ValueError, match=said) as told:
        each.prepare()
    assert "\n" not in str(told.value)
    assert not (each.root.parent / "prepared").exists()


def test_a_missing_table_is_a_line(each):
    if each.layout.name in ("folder", "esc50"):  # both do without
        return
    (each.root / TABLES[each.layout.name][0]).unlink()
    with pytest.raises(OSError, match="README"):
        each.prepare()


def test_an_interrupted_run_goes_on_to_the_same(each, tmp_path):
    from hsmtss_jax.data.preparation.clips import ClipForm
    from hsmtss_jax.data.preparation.item import Place
    from hsmtss_jax.data.preparation.prepare import Preparation, prepare

    def run(out, runner):
        out.parent.mkdir(exist_ok=True)
        form = ClipForm(seconds=0.3, long=each.layout.long)
        place = Place(root=each.root)
        made = Preparation(layout=each.layout, place=place, out=out, form=form, per_job=1)
        return prepare(made, runner)

    straight, again = tmp_path / "a" / "set", tmp_path / "b" / "set"
    run(straight, Stopping(99))
    with pytest.raises(KeyboardInterrupt):
        run(again, Stopping(1))
    run(again, Stopping(99))
    assert contents(again) == contents(straight)


def test_an_id_that_stands_twice(tmp_path):
    """Of the sets whose tables could repeat a line."""
    for name in ("vggsound", "music", "esc50", "clotho", "fsd50k", "folder"):
        each = Copy(tmp_path / name, name)
        table = each.root / TABLES[name][0]
        lines = table.read_text().splitlines()
        table.write_text("\n".join([*lines, lines[-1]]) + "\n")
        each.prepare()
        assert [line[2] for line in each.left_out] == ["twice"], name
