"""Do jobs in this process, or in several that never touch an accelerator."""

import concurrent.futures
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence

from hsmtss_jax.data.preparation.jobs import Task, do_job

Runner = Callable[
    [Task, str, Sequence[str]], Iterator[str]
]  # of a task's jobs, yields the keys done


def run_here(task: Task, work: str, keys: Sequence[str]) -> Iterator[str]:
    """Do jobs one after another in this process."""
    for key in keys:
        yield do_job(task, work, key)


def in_processes(count: int) -> Runner:
    """Return a runner with ``count`` processes; this one, for one or none."""

    def run(task: Task, work: str, keys: Sequence[str]) -> Iterator[str]:
        context = multiprocessing.get_context("spawn")
        before = set(multiprocessing.active_children())
        pool = concurrent.futures.ProcessPoolExecutor(count, context, _begin)
        try:
            jobs = [pool.submit(do_job, task, work, key) for key in keys]
            for job in concurrent.futures.as_completed(jobs):
                yield job.result()
        except BaseException:
            for child in set(multiprocessing.active_children()) - before:
                child.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    return run_here if count < 2 else run


def _begin() -> None:
    """Keep a worker off accelerators, silent on Ctrl-C, and never alone."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
