"""Where evaluations are done: "threads:4", "processes:2", or a Dask cluster, "dask://HOST:PORT".

Threads serve functions that wait or compute outside Python; processes those that compute in it. A
Dask cluster hands the work of a worker that dies to another; one that has lost all of them would
keep the work until another comes, so it is given up after a minute. Processes are started anew, not
forked: compiled code of this process runs threads, which do not survive a fork.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import (
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from aboveboard.errors import InputError
from aboveboard.mechanisms.child_processes import SafeContext, safe_environment

MOST_WORKERS = 1024
"""Processes on one machine; more is a mistake in the file."""
PATIENCE = 8
"""Seconds until a scheduler that does not answer, or has no worker, is given up."""
DESERTED = 60
"""Seconds without any worker until a cluster that had some is given up: time to restart them."""
LOOKED_EVERY = 2
"""Seconds between two looks at a cluster's workers."""
REMEDY = 'write "threads", "threads:4", "processes", "processes:2" or "dask://HOST:PORT"'


def open_executor(spec: str) -> AbstractContextManager[Executor]:
    """Return the executor that a text names, for a `with` statement.

    Parameters
    ----------
    spec
        "threads" or "processes", with as many workers as the machine has cores or, after a colon,
        as many as are named; or "dask://HOST:PORT", the address of a Dask scheduler whose workers
        have aboveboard installed and see the same files.

    Raises
    ------
    InputError
        If the text names none; on entering, if the scheduler does not answer or has no worker; on
        leaving, if evaluations failed because all workers of the cluster were lost.

    Examples
    --------
    >>> with open_executor("threads:2") as pool:
    ...     print(pool.submit(abs, -2).result())
    2
    """
    place = f"executor {spec!r}"
    if spec.startswith("dask://"):
        address = spec.removeprefix("dask://").rstrip("/")
        if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):\d{1,5}", address):
            raise InputError(place, "it is not an address of a scheduler", REMEDY)
        if not 0 < int(address.rpartition(":")[2]) < 65536:
            raise InputError(place, "a port is a number from 1 to 65535", REMEDY)
        return _open_dask(address, place)
    kind, colon, count = spec.partition(":")
    if kind not in _POOLS:
        raise InputError(place, "there is no such executor", REMEDY)
    if colon and not (re.fullmatch(r"\d{1,4}", count) and 1 <= int(count) <= MOST_WORKERS):
        raise InputError(place, f"workers are a number from 1 to {MOST_WORKERS}", REMEDY)
    return _POOLS[kind](int(count) if colon else os.cpu_count() or 1)


@contextmanager
def _open_threads(workers: int) -> Iterator[Executor]:
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _open_processes(workers: int) -> Iterator[Executor]:
    with safe_environment():  # its queues start a process, too
        pool = ProcessPoolExecutor(workers, mp_context=SafeContext(), initializer=_start_worker)
    try:
        yield pool
    except BaseException:
        # Asked to end, nobody waits until evaluations of an hour are done.
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown(cancel_futures=True)


_POOLS: dict[str, Callable[[int], AbstractContextManager[Executor]]] = {
    "threads": _open_threads,
    "processes": _open_processes,
}


def _start_worker() -> None:
    """Prepare a worker process: what it prints is not a result, and it ends with its parent."""
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.join,), daemon=True).start()


def _end_with(ended: Callable[[], None]) -> None:
    ended()
    os._exit(1)


@contextmanager
def _open_dask(address: str, place: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            place,
            "a cluster needs Dask, which is not installed",
            'pip install "aboveboard[cluster]"',
        ) from error
    connect: Any = Client  # its types are not given
    try:
        client = connect(f"tcp://{address}", timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            place,
            f"no scheduler answers within {PATIENCE} seconds",
            "start one with 'dask scheduler' and workers with 'dask worker', or fix the address",
        ) from error
    try:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise InputError(
                place, "the scheduler has no worker", f"start some: dask worker tcp://{address}"
            ) from error
        pool = _Cluster(client)
        ended, deserted = threading.Event(), threading.Event()
        watch = threading.Thread(target=_watch, args=(client, pool, ended, deserted), daemon=True)
        watch.start()
        try:
            yield pool
        except InputError as error:
            if not deserted.is_set():
                raise
            raise InputError(
                place,
                f"the cluster has had no worker for {DESERTED} seconds",
                f"start some (dask worker tcp://{address}) and run again: what is evaluated is "
                "kept, and the run goes on",
            ) from error
        finally:
            ended.set()
            watch.join(PATIENCE)
            pool.shutdown(wait=False)
    finally:
        client.close()


class _Cluster(Executor):
    """The workers of a Dask client.

    Dask's own executor fails with a TypeError if a worker dies between the end of a task and the
    handing over of its result (distributed 2026.8); its own futures have the task done
    again.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._there: dict[Future[Any], Any] = {}

    def submit(self, task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand a task to the cluster."""
        here: Future[Any] = Future()
        here.set_running_or_notify_cancel()
        # pure: a value of yesterday's code must not be taken for today's.
        there = self._client.submit(task, *args, pure=False, **kwargs)
        self._there[here] = there  # a task that nobody refers to is dropped
        there.add_done_callback(partial(self._pass_on, here))
        return here

    def _pass_on(self, here: Future[Any], there: Any) -> None:
        try:
            result = there.result()
        except (Exception, CancelledError) as error:
            here.set_exception(error)
        else:
            here.set_result(result)
        del self._there[here]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Return up what is not done."""
        self._client.cancel(list(self._there.values()))


def _watch(client: Any, pool: Any, ended: threading.Event, deserted: threading.Event) -> None:
    """Cancel all that a cluster has been handed once it has had no worker for too long."""
    seen = time.monotonic()
    while not ended.wait(LOOKED_EVERY):
        try:
            there = client.nthreads()
        except Exception:  # a scheduler that is lost cancels the work itself
            return
        if there:
            seen = time.monotonic()
        elif time.monotonic() - seen > DESERTED:
            deserted.set()
            pool.shutdown(wait=False)
            return
