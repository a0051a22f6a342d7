"""``hsmtss adapt``: what is wrong is told in a line, before any work."""

import pytest

from hsmtss_jax.cli.main import main


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["{}", "-o", "{}/out", "--old", "{}/none"], "none"),
        (["{}", "-o", "{}/out", "--share", "1"], "--share: must be at least 0.05 and at most 0.95"),
        (["{}", "-o", "{}/out", "--minutes", "0"], "must be above 0"),
        (["{}"], "--output"),
    ],
)
def test_bad_input_is_one_line(words, says, tmp_path, capsys):
    assert main(["adapt", *(word.format(tmp_path) for word in words)]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1
