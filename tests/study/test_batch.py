from __future__ import annotations

import os
import signal
import socket

import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.study.batch import run_in_processes, run_on_cluster


def square(number: int) -> int:
    return number**2


def die_of_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_comes_back_under_its_name(jobs: int) -> None:
    tasks = {f"t{n}": n for n in range(7)}
    found = dict(run_in_processes(square, tasks, jobs=jobs))
    assert found == {f"t{n}": n**2 for n in range(7)}


def test_no_tasks_are_no_work() -> None:
    assert list(run_in_processes(square, {}, jobs=2)) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_task_that_kills_its_process_costs_itself_only(jobs: int) -> None:
    found = list(run_in_processes(die_of_three, {f"t{n}": n for n in range(5)}, jobs=jobs))
    assert len(found) == 5, "each task once"
    assert dict(found) == {f"t{n}": None if n == 3 else n**2 for n in range(5)}


def test_a_lethal_task_left_alone_is_named_too() -> None:
    assert list(run_in_processes(die_of_three, {"t": 3}, jobs=2)) == [("t", None)]


def test_a_scheduler_that_does_not_answer_is_named() -> None:
    pytest.importorskip("distributed", reason="needs the extra hpc")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(DataError, match="Dask scheduler at"):
        list(run_on_cluster(square, {"t": 1}, address=address))
