"""Each command has a Python twin with the same words, and help that reads like a contents page."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
import typer

import radiogenomics as rg
from radiogenomics.cli.main import app
from radiogenomics.report import render
from radiogenomics.study.check import check_studies
from radiogenomics.study.registry import study_list, study_show

TWINS = {
    ("run",): rg.run,
    ("demo",): rg.demo,
    ("check",): rg.check,
    ("extract",): rg.extract,
    ("segment",): rg.segment,
    ("encode",): rg.encode,
    ("pretrain",): rg.pretrain,
    ("train",): rg.train,
    ("ibsi",): rg.ibsi_compliance,
    ("validate",): rg.validate,
    ("derive",): rg.derive,
    ("characterise",): rg.characterise,
    ("map",): rg.map,
    ("biopsy",): rg.biopsy,
    ("score",): rg.score,
    ("track",): rg.track,
    ("methods",): rg.methods,
    ("report",): render,
    ("compare",): rg.compare,
    ("compare-masks",): rg.compare_masks,
    ("study", "list"): study_list,
    ("study", "show"): study_show,
    ("study", "check"): check_studies,
    ("study", "gallery"): rg.study.gallery,
}
FOR_PROGRAMS = {"as_json"}
# `run` is the twin of `run_simulated` too, and says in one word what that says in two.
SIMULATED = {("run",): (rg.run_simulated, {"simulate", "without"}, {"change", "effect"})}
# Words of several values are plural in Python; places and processes have a default of their own.
PLURAL = {("study", "gallery"): {"study": "studies"}}
OWN_DEFAULT = {(("study", "gallery"), "out")}


def commands() -> dict[tuple[str, ...], Any]:
    """Every command by the words that call it."""
    found: dict[tuple[str, ...], Any] = {}

    def walk(command: Any, words: tuple[str, ...]) -> None:
        inner = getattr(command, "commands", None)
        if inner is None:
            found[words] = command
            return
        for name, child in inner.items():
            walk(child, (*words, name))

    walk(typer.main.get_command(app), ())
    return found


def test_every_command_has_a_twin():
    assert commands().keys() == TWINS.keys()


def twin_words(words: tuple[str, ...]) -> dict[str, inspect.Parameter]:
    """Parameters in Python of what a command does, those of a simulation behind."""
    found = dict(inspect.signature(TWINS[words]).parameters)
    if words in SIMULATED:
        other, _, only_in_python = SIMULATED[words]
        more = inspect.signature(other).parameters
        found |= {n: p for n, p in more.items() if n not in {*found, *only_in_python}}
    return found


@pytest.mark.parametrize("words", TWINS, ids=" ".join)
def test_twins_take_the_same_words(words):
    parameters = {p.name: p for p in commands()[words].params}
    plural = PLURAL.get(words, {})
    twin = twin_words(words)
    only_here = FOR_PROGRAMS | (SIMULATED[words][1] if words in SIMULATED else set())
    assert {plural.get(name, name) for name in set(parameters) - only_here} == set(twin)
    for name, parameter in parameters.items():
        if parameter.param_type_name == "argument" or name in FOR_PROGRAMS:
            continue
        assert parameter.opts == [f"--{name.replace('_', '-')}"]
        if name in only_here or (words, name) in OWN_DEFAULT:
            continue
        default = twin[plural.get(name, name)].default
        if words in SIMULATED and name == "cohort":
            assert default is inspect.Parameter.empty and parameter.default is None
        elif parameter.required:
            assert default is inspect.Parameter.empty
        else:
            assert str(parameter.default) == str(default)


def test_arguments_of_the_commands_come_first_in_python_too():
    for words, command in commands().items():
        arguments = [p.name for p in command.params if p.param_type_name == "argument"]
        assert arguments == list(inspect.signature(TWINS[words]).parameters)[: len(arguments)]


def test_commands_that_a_program_reads_take_json():
    assert {w for w, c in commands().items() if "as_json" in {p.name for p in c.params}} == set(
        TWINS
    )


def test_help_reads_like_a_table_of_contents(command):
    answer = command("--help")
    assert answer.code == 0 and answer.err == ""
    for name in ("run", "demo", "report", "check", "compare", "study"):
        (line,) = [x for x in answer.out.splitlines() if re.match(rf"\W*{name}\s\s", x)]
        assert len(line.split()) > 4
    assert re.search(r"─ Work ─.*\brun\b.*─ Look ─.*\bcheck\b", answer.out, re.DOTALL)
    # One line each: what is longer is no table of contents any more.
    assert len(answer.out.splitlines()) <= len({first for first, *_ in TWINS}) + 15


@pytest.mark.parametrize("words", TWINS, ids=" ".join)
def test_every_option_is_explained(command, words):
    answer = command(*words, "--help")
    assert answer.code == 0
    text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", answer.out).split())
    for parameter in commands()[words].params:
        explained = " ".join((getattr(parameter, "help", None) or "").split())
        assert explained, parameter.name
        # Words in square brackets would be eaten as markup.
        assert "[" not in explained
    assert re.sub(r"\W+", " ", commands()[words].help or "?") in re.sub(r"\W+", " ", text)


def test_python_twins_are_documented():
    for twin in TWINS.values():
        assert inspect.getdoc(twin)
