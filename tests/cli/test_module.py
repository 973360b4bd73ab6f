"""``python -m radiogenomics`` is the command, and the table of methods says where words stand."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from radiogenomics.core.provenance import version


def module(*words: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "radiogenomics", *words]
    return subprocess.run(call, capture_output=True, text=True, check=False)


def test_the_module_answers_as_the_command_does():
    said = module("--version")
    assert (said.returncode, said.stdout.strip(), said.stderr) == (0, version(), "")
    wrong = module("check", "nope")
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: unknown manifest or study")
    assert "Usage: radiogenomics " in module("run", "--help").stdout


@pytest.mark.parametrize(
    ("word", "used_as"),
    [
        ("combat", "step"),
        ("icc_filter", "step of plans"),
        ("coxnet", "survival step"),
        ("svm", "learner or comparator"),
        ("rsf", "survival learner"),
        ("albi", "Python: clinical.albi"),
    ],
)
def test_methods_say_where_a_word_stands(command, word, used_as):
    answer = command("methods")
    (line,) = [x for x in answer.out.splitlines() if re.match(rf"  {word} ", x)]
    assert re.split(r"\s{2,}", line.strip())[1] == used_as
    rows = {row["word"]: row for row in json.loads(command("methods", "--json").out)}
    assert rows[word]["used_as"] == used_as
