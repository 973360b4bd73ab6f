from __future__ import annotations

import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from radiogenomics.core.log import get_logger, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_gives_the_items_and_is_silent_without_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert list(progress(iter("abc"), "letters", total=3)) == ["a", "b", "c"]
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_progress_draws_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(progress("abc", "letters")) == ["a", "b", "c"]
    assert "letters" in terminal.getvalue()
    assert "0/3" in terminal.getvalue()


def test_progress_survives_a_program_without_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(sys, "stderr", None)
    assert list(progress([1, 2], "numbers")) == [1, 2]


def test_the_logger_belongs_to_the_package_and_has_no_handler() -> None:
    logger = get_logger("radiogenomics.core.test")
    assert logger is logging.getLogger("radiogenomics.core.test")
    assert logger.handlers == []


def test_importing_the_core_sets_up_no_logging_and_says_nothing() -> None:
    script = (
        "import logging, radiogenomics.core.cohort, radiogenomics.core.log;"
        "assert not logging.root.handlers;"
        "assert not logging.getLogger('radiogenomics').handlers"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
    )
    assert (done.stdout, done.stderr) == ("", "")
