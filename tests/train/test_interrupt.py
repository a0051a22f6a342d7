"""Signals as a request: the first is kept, a second one acts as it always did."""

import os
import signal
import threading

import pytest

from hsmtss_jax.train.interrupt import Interrupt


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_first_signal_is_a_request_and_the_second_acts(number):
    heard = []
    former = signal.signal(number, lambda *_: heard.append(number))
    try:
        with Interrupt() as interrupt:
            assert not interrupt.requested
            os.kill(os.getpid(), number)
            assert interrupt.requested and not heard
            os.kill(os.getpid(), number)
            assert heard == [number]
    finally:
        signal.signal(number, former)


def test_handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(KeyError), Interrupt():
        assert signal.getsignal(signal.SIGTERM) != before[0]
        raise KeyError
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_nohup_is_respected():
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupt.requested
    finally:
        signal.signal(signal.SIGHUP, former)


def test_another_thread_leaves_signals_alone():
    """Only the main thread may set handlers."""
    before, seen = signal.getsignal(signal.SIGTERM), []

    def enter():
        with Interrupt() as interrupt:
            seen.append((interrupt.requested, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
