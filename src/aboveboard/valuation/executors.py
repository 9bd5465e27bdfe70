"""Where evaluations are done: "threads:4", "processes:2", or a Dask cluster, "dask://HOST:PORT".

Threads serve functions that wait or compute outside Python; processes those that compute in it. A
Dask cluster hands the work of a worker that dies to another. Processes are started anew, not
forked: compiled code of this process runs threads, which do not survive a fork.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from aboveboard.errors import InputError

MOST_WORKERS = 1024
PATIENCE = 8
"""Seconds until a scheduler that does not answer, or has no worker, is given up."""
REMEDY = 'write "threads", "threads:4", "processes", "processes:2" or "dask://HOST:PORT"'


def executor(spec: str) -> AbstractContextManager[Executor]:
    """Give the executor that a text names, for a `with` statement.

    Parameters
    ----------
    spec
        "threads" or "processes", with as many workers as the machine has cores or, after a colon,
        as many as are named; or "dask://HOST:PORT", the address of a Dask scheduler whose workers
        have aboveboard installed and see the same files.

    Raises
    ------
    InputError
        If the text names none; on entering, if the scheduler does not answer or has no worker.
    """
    place = f"executor {spec!r}"
    if spec.startswith("dask://"):
        address = spec.removeprefix("dask://").rstrip("/")
        if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):\d{1,5}", address):
            raise InputError(place, "it is no address of a scheduler", REMEDY)
        if not 0 < int(address.rpartition(":")[2]) < 65536:
            raise InputError(place, "a port is a number from 1 to 65535", REMEDY)
        return _dask(address, place)
    kind, colon, count = spec.partition(":")
    if kind not in _POOLS:
        raise InputError(place, "there is no such executor", REMEDY)
    if colon and not (re.fullmatch(r"\d{1,4}", count) and 1 <= int(count) <= MOST_WORKERS):
        raise InputError(place, f"workers are a number from 1 to {MOST_WORKERS}", REMEDY)
    return _POOLS[kind](int(count) if colon else os.cpu_count() or 1)


@contextmanager
def _threads(workers: int) -> Iterator[Executor]:
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
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
    "threads": _threads,
    "processes": _processes,
}


def _start_worker() -> None:
    """Prepare a worker process: what it prints is no result, and it ends with its parent."""
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.join,), daemon=True).start()


def _end_with(ended: Callable[[], None]) -> None:
    ended()
    os._exit(1)


@contextmanager
def _dask(address: str, place: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            place, "Dask is not installed", 'pip install "aboveboard[cluster]"'
        ) from error
    connect: Any = Client  # its types are not given
    try:
        client = connect(f"tcp://{address}", timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            place,
            f"no scheduler answers within {PATIENCE} seconds",
            "start one with 'dask scheduler' and workers with 'dask worker', or mend the address",
        ) from error
    try:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise InputError(
                place, "the scheduler has no worker", f"start some: dask worker tcp://{address}"
            ) from error
        # pure: a value of yesterday's code must not be taken for today's.
        pool = client.get_executor(pure=False)
        try:
            yield pool
        finally:
            pool.shutdown(wait=False)
    finally:
        client.close()
