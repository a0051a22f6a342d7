"""Errors of input, and warnings of ours, as one line each."""

import warnings

import pytest

from hsmtss_jax.audio.io import AudioWarning
from hsmtss_jax.cli.errors import LONGEST, fail, one_line, plain_warnings


def test_a_message_becomes_one_line():
    assert one_line(ValueError("a\n  b\tc")) == "a b c"
    assert one_line(OSError()) == "OSError"
    assert one_line(ValueError("x" * (LONGEST + 1))).endswith("x... (--debug shows the rest)")


def test_the_status_is_given_back(capsys):
    assert fail("no") == 2 and fail("stop", status=130) == 130
    assert capsys.readouterr().err == "hsmtss: error: no\nhsmtss: error: stop\n"


@pytest.mark.filterwarnings("default::hsmtss_jax.audio.io.AudioWarning", "default::UserWarning")
def test_plain_warnings(capsys):
    for _ in range(2):
        with plain_warnings():
            for _ in range(3):
                warnings.warn("a.wav: cut\nshort", AudioWarning, stacklevel=1)
    assert capsys.readouterr().err == 2 * "hsmtss: warning: a.wav: cut short\n"
    with pytest.warns(UserWarning, match="not ours"), plain_warnings():
        warnings.warn("not ours", UserWarning, stacklevel=1)
