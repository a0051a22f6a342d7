"""Errors and warnings in one line each."""

import warnings

import pytest

from hsmtss_jax.audio.io import AudioWarning
from hsmtss_jax.cli.errors import LONGEST, fail, one_line, plain_warnings


def test_fail(capsys):
    assert fail("no such file") == 2 and fail("interrupted", status=130) == 130
    assert capsys.readouterr().err == "hsmtss: error: no such file\nhsmtss: error: interrupted\n"


def test_one_line():
    assert one_line(ValueError("a\n  b")) == "a b" and one_line(KeyError()) == "KeyError"
    assert len(one_line(ValueError("x" * 9999))) < LONGEST + 50


@pytest.mark.filterwarnings("default::hsmtss_jax.audio.io.AudioWarning", "default::UserWarning")
def test_plain_warnings(capsys):
    for _ in range(2):
        with plain_warnings():
            for _ in range(3):
                warnings.warn("a.wav: cut\nshort", AudioWarning, stacklevel=1)
    assert capsys.readouterr().err == 2 * "hsmtss: warning: a.wav: cut short\n"
    with pytest.warns(UserWarning, match="not ours"), plain_warnings():
        warnings.warn("not ours", UserWarning, stacklevel=1)
