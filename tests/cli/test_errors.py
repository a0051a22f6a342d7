"""Errors of input as one line."""

from hsmtss_jax.cli.errors import LONGEST, fail, one_line


def test_a_message_becomes_one_line():
    assert one_line(ValueError("a\n  b\tc")) == "a b c"
    assert one_line(OSError()) == "OSError"
    assert one_line(ValueError("x" * (LONGEST + 1))).endswith("x... (--debug shows the rest)")


def test_the_status_is_given_back(capsys):
    assert fail("no") == 2 and fail("stop", status=130) == 130
    assert capsys.readouterr().err == "hsmtss: error: no\nhsmtss: error: stop\n"
