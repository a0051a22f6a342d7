"""Processes wait for one another, and the one that does not come is named."""

import socket
import threading

import pytest

from hsmtss_jax.rendezvous import meet


@pytest.fixture
def coordinator():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def together(coordinator, numbers, count, timeout):
    """What each of the processes ended with: None, or its error."""
    ended = {}

    def one(number):
        try:
            meet(coordinator, count, number, timeout)
            ended[number] = None
        except TimeoutError as error:
            ended[number] = str(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


def test_all_come_in_any_order(coordinator):
    assert together(coordinator, (2, 1, 0), 3, 20) == {0: None, 1: None, 2: None}
    with socket.create_server(("", int(coordinator.rpartition(":")[2]))):
        pass  # the port is free again
    meet(coordinator, 1, 0, 0.1)


def test_the_missing_one_is_named(coordinator):
    ended = together(coordinator, (0, 2), 4, 1.0)
    assert "of 4 processes 1, 3 did not come within 1 s" in ended[0]
    assert "process 0 at 127.0.0.1" in ended[2]
    assert "process 0 at" in together(coordinator, (1,), 2, 0.5)[1]


@pytest.mark.parametrize("address", ["here", ":80", "here:http"])
def test_an_address_has_a_port(address):
    with pytest.raises(ValueError, match="give HOST:PORT"):
        meet(address, 2, 0, 1)
