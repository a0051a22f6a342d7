"""Signals that end a command let it clean up."""

import os
import signal

import pytest

from hsmtss_jax.cli.termination import orderly_termination


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_with_its_status(number, status):
    cleaned = []
    former = signal.signal(number, signal.SIG_DFL)  # under nohup the tests ignore one of them
    try:
        with pytest.raises(SystemExit) as ended, orderly_termination():
            try:
                os.kill(os.getpid(), number)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)  # a second one does not stop the removal
                cleaned.append(True)
        assert ended.value.code == status and cleaned == [True]
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, former)


def test_nohup_is_respected():
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with orderly_termination():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, former)
