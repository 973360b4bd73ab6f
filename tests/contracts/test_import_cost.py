"""Importing the package and asking for help load no heavy library; extras stay optional."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / "radiogenomics"

# Extras' distributions whose import name is another one.
IMPORT_NAMES = {
    "scikit-survival": "sksurv",
    "simpleitk": "SimpleITK",
    "pywavelets": "pywt",
    "igraph": "igraph",
    "idc-index": "idc_index",
    "dask-jobqueue": "dask_jobqueue",
    "xgboost-cpu": "xgboost",
}
BUILT_APART = {"radiomics"}  # pyradiomics: the set-up builds it where it can
USER_EXTRAS = ("imaging", "omics", "survival", "deep", "explain", "boost", "data", "hpc")
TORCH_ROOMS = ("radiogenomics/imaging/deep/", "radiogenomics/models/deep/")
TORCH_FAMILY = {"torch", "monai", "torchsurv"}


def modules_after(code: str, *arguments: str) -> set[str]:
    """Top-level names of everything a fresh interpreter has loaded once `code` has run."""
    at_exit = "lambda: sys.stderr.write('\\n' + ' '.join(sys.modules))"
    tell = f"import atexit, sys; atexit.register({at_exit})"
    done = subprocess.run(
        [sys.executable, "-c", f"{tell}\n{code}", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name.split(".")[0] for name in done.stderr.splitlines()[-1].split()}


def test_importing_the_package_is_light() -> None:
    heavy = {"torch", "scanpy", "SimpleITK", "matplotlib", "sklearn", "anndata", "radiomics"}
    assert not heavy & modules_after("import radiogenomics; radiogenomics.__version__")


def test_asking_for_help_is_light() -> None:
    loaded = modules_after("from radiogenomics.cli.main import app; app()", "--help")
    assert "typer" in loaded
    assert not {"torch", "scanpy", "SimpleITK", "radiomics", "matplotlib"} & loaded


def imports_at_module_level(body: list[ast.stmt]) -> Iterator[tuple[int, str]]:
    """(line, top-level name) of what runs on import; `if TYPE_CHECKING` does not."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, (node.module or "").split(".")[0]
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imports_at_module_level(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for field in ("body", "orelse", "finalbody"):
                yield from imports_at_module_level(getattr(node, field, []))


def optional_imports() -> set[str]:
    """Import names of what only an extra brings."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [line for name in USER_EXTRAS for line in project["optional-dependencies"][name]]
    names = {Requirement(line).name for line in extras}
    return {IMPORT_NAMES.get(name, name) for name in names} | BUILT_APART


def test_extras_are_imported_inside_functions() -> None:
    optional = optional_imports()
    assert {"torch", "scanpy", "SimpleITK", "sksurv", "shap", "nibabel"} <= optional
    offences = []
    for path in PACKAGE.rglob("*.py"):
        place = path.relative_to(CHECKOUT).as_posix()
        allowed = TORCH_FAMILY if place.startswith(TORCH_ROOMS) else set()
        tree = ast.parse(path.read_text("utf-8"))
        offences += [
            f"{place}:{line}: {name}"
            for line, name in imports_at_module_level(tree.body)
            if name in optional - allowed
        ]
    if offences:
        pytest.fail("belongs to an extra, import it inside the function:\n" + "\n".join(offences))
