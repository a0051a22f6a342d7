"""Wait until every process of a run is there, and say which is not: JAX's own start aborts without a name.

Process 0 listens at the coordinator's address for the numbers of the others, and sends them on when all are
there; then JAX takes the address over.
"""

import contextlib
import socket
import time

_GO = b"go"


def meet(coordinator: str, processes: int, process: int, timeout: float) -> None:
    """Wait for the other processes.

    Args:
      coordinator: "host:port" of process 0.
      processes: their number.
      process: the number of this one, from 0.
      timeout: seconds.

    Raises:
      ValueError: the address is none.
      TimeoutError: names the processes that did not come.
    """
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"mesh.coordinator={coordinator!r}: give HOST:PORT of process 0")
    if processes == 1:
        return
    if process == 0:
        _gather(int(port), processes, timeout)
    else:
        _check_in((host, int(port)), process, timeout)


def _gather(port: int, processes: int, timeout: float) -> None:
    missing = set(range(1, processes))
    end = time.monotonic() + timeout
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("", port), backlog=processes))
        came: list[socket.socket] = []
        while missing:
            server.settimeout(max(end - time.monotonic(), 0.01))
            try:
                other = stack.enter_context(server.accept()[0])
                other.settimeout(5.0)
                number = int(other.recv(16) or b"-1")
            except TimeoutError as error:
                if time.monotonic() < end:
                    continue  # a stranger that said nothing
                raise TimeoutError(_missing(missing, processes, timeout)) from error
            except (OSError, ValueError):
                continue
            missing.discard(number)
            came.append(other)
        for other in came:
            with contextlib.suppress(OSError):
                other.sendall(_GO)
                other.recv(1)  # they close first, so that the port is free at once


def _check_in(address: tuple[str, int], process: int, timeout: float) -> None:
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        try:
            with socket.create_connection(address, timeout=left) as server:
                server.sendall(b"%d" % process)
                server.settimeout(left)
                if server.recv(len(_GO)) == _GO:
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise TimeoutError(
        f"process 0 at {address[0]}:{address[1]} did not answer for {timeout:g} s (mesh.timeout), or waits "
        "for another process: see what it says"
    )


def _missing(missing: set[int], processes: int, timeout: float) -> str:
    names = ", ".join(map(str, sorted(missing)))
    return (
        f"of {processes} processes {names} did not come within {timeout:g} s (mesh.timeout): start each with "
        "the same command and its own mesh.process"
    )
