"""Many tasks, each on its own: on this machine's processes or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

import joblib

from radiogenomics.core.errors import DataError, MissingExtraError

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

RETRIES = 3
WAIT_S = 30


def run_in_processes(
    function: Callable[[Task], Outcome],
    tasks: Mapping[str, Task],
    *,
    jobs: int,
) -> Iterator[tuple[str, Outcome | None]]:
    """Give each task's name and outcome as they finish; None where the process died of it.

    When a process is killed or crashes, the tasks that were under way are tried again one by one,
    each in a process of its own, so that one bad task costs itself only.

    Parameters
    ----------
    function
        Module-level function; it catches what it can name.
    tasks
        Name → task.
    jobs
        Processes at work; never this one, which a task could take with it.
    """
    left = dict(tasks)
    while left:
        try:
            for name, outcome in _parallel(function, left, jobs):
                del left[name]
                yield name, outcome
        except BrokenProcessPool:
            # Tasks are handed out in order and no more than this many ahead.
            for name in list(left)[: 2 * jobs]:
                yield name, _alone(function, left.pop(name))


def run_on_cluster(
    function: Callable[[Task], Outcome], tasks: Mapping[str, Task], *, address: str
) -> Iterator[tuple[str, Outcome | None]]:
    """Do the same on a Dask cluster; its scheduler moves the tasks of a lost worker to others.

    Parameters
    ----------
    address
        Scheduler, ``tcp://host:port``. Tasks name files: all workers must see them under the same
        paths. Dask sends code and data unprotected; use a network you trust.

    Raises
    ------
    MissingExtraError
        dask and distributed are not installed.
    DataError
        No scheduler answers.
    """
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout="5s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"expected a Dask scheduler at {address}; found none ({type(error).__name__}). "
            "Start one (dask scheduler), and workers, then give its tcp:// address."
        ) from None
    with client:
        _require_workers(client, address)
        names = {
            client.submit(function, task, retries=RETRIES, pure=False): name
            for name, task in tasks.items()
        }
        for future in distributed.as_completed(list(names), loop=client.loop):
            yield names[future], _result(future, distributed.KilledWorker)
            future.release()


def _require_workers(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=WAIT_S)
    except TimeoutError:
        raise DataError(
            f"expected workers of the Dask scheduler at {address}; found none within {WAIT_S} s. "
            "Start some (dask worker), or use --jobs."
        ) from None


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise MissingExtraError(
            f"expected dask and distributed; found: {error}. "
            "Install them: pip install 'radiogenomics[hpc]'."
        ) from None
    return distributed


def _result(future: Any, killed: type[Exception]) -> Any:
    """Outcome of a task; None if its workers died of it, and any other error is raised."""
    lost = future.status != "finished" and isinstance(future.exception(), killed)
    return None if lost else future.result()


def _parallel(
    function: Callable[[Task], Outcome], tasks: Mapping[str, Task], jobs: int
) -> Iterator[tuple[str, Outcome]]:
    # One job would mean this process; of two only one is given work at a time then.
    pool = joblib.Parallel(
        n_jobs=max(jobs, 2), return_as="generator_unordered", pre_dispatch=jobs, batch_size=1
    )
    todo = list(tasks.items())
    yield from pool(joblib.delayed(_named)(function, name, task) for name, task in todo)


def _named(function: Callable[[Task], Outcome], name: str, task: Task) -> tuple[str, Outcome]:
    return name, function(task)


def _alone(function: Callable[[Task], Outcome], task: Task) -> Outcome | None:
    """Outcome of one task in another process; None if the process dies again."""
    try:
        # Two, as one would mean this process; the second stays idle.
        outcomes: list[Outcome] = joblib.Parallel(n_jobs=2)([joblib.delayed(function)(task)])
    except BrokenProcessPool:
        return None
    return outcomes[0]
