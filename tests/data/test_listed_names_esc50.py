"""ESC-50's Ogg edition gets the names that lists use."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "data" / "esc50" / "listed_names.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("listed_names_esc50", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_names_hold_the_class(script, tmp_path, capsys):
    for folder, name in (("101 - Dog", "1-100032-A"), ("510 - Hand saw", "5-9-B")):
        (tmp_path / "in" / folder).mkdir(parents=True)
        (tmp_path / "in" / folder / f"{name}.ogg").write_bytes(name.encode())
    argv = ["--recordings", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    assert script.main(argv) == 0 and "2 of 2000 clips" in capsys.readouterr().out
    found = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert found == {"1-100032-A-0.ogg": b"1-100032-A", "5-9-B-49.ogg": b"5-9-B"}
    assert script.main(argv) == 0  # again


def test_what_is_not_esc50_is_one_line(script, tmp_path, capsys):
    argv = ["--recordings", str(tmp_path), "--out", str(tmp_path / "out")]
    assert script.main(argv) == 2
    assert "has no folders of .ogg files" in capsys.readouterr().err
    (tmp_path / "dogs").mkdir()
    (tmp_path / "dogs" / "a.ogg").write_bytes(b"")
    assert script.main(argv) == 2 and "is no class of ESC-50" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
