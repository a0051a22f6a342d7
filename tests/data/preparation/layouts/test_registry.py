"""Every set has a layout, a folder with a script, and a page that says what it is."""

from pathlib import Path

import pytest

from hsmtss_jax.data.preparation.layouts.registry import NAMES, layout_of

DATA = Path(__file__).parents[4] / "data"


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
