"""The command line as a user meets it: words in; exit code, output and messages out."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from radiogenomics.cli.main import main


@dataclass(frozen=True)
class Answer:
    """What one command gave back."""

    code: int
    out: str
    err: str


Command = Callable[..., Answer]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``radiogenomics WORDS...`` through its entry point, in this process."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    logger = logging.getLogger("radiogenomics")
    monkeypatch.setattr(logger, "level", logger.level)

    def run(*words: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["radiogenomics", *map(str, words)])
        # Its handler writes to the standard error of this moment, which pytest replaces.
        monkeypatch.setattr(logger, "handlers", [])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        said = capsys.readouterr()
        return Answer(code if isinstance(code, int) else int(code is not None), said.out, said.err)

    return run
