"""Set up a process that reads data for a training process."""

import multiprocessing
import os
import signal
import sys
import threading


def begin_worker(index: int, count: int) -> None:
    """Keep a worker off the accelerators and its parent's signals, and end it with its parent, first of all.

    Whatever imports JAX there would take half a gigabyte of a GPU's memory. A worker whose parent was killed
    would wait for it for ever. Ctrl-C and a lost terminal reach the whole group: the parent answers them.
    """
    del index, count
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.environ["JAX_PLATFORMS"] = "cpu"
    if jax := sys.modules.get("jax"):  # by an import that came with the parent's main module
        jax.config.update("jax_platforms", "cpu")
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
