"""The package that is installed: its extras, their pins, and what travels in the wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
SHIPPED = {"analyses": {".yaml", ".csv", ".md"}, "data_manifests": {".yaml"}}
SOURCES = ("radiogenomics", *SHIPPED, "pyproject.toml", "setup.py", "README.md", "LICENSE")


def pins() -> dict[str, str]:
    lines = (CHECKOUT / "constraints.txt").read_text("utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def requirements(*extras: str) -> list[Requirement]:
    """The base and the extras named, with `radiogenomics[...]` inside an extra followed."""
    found = [Requirement(line) for line in PROJECT["dependencies"]]
    for extra in extras:
        for requirement in map(Requirement, EXTRAS[extra]):
            own = requirement.name == PROJECT["name"]
            found += requirements(*sorted(requirement.extras)) if own else [requirement]
    return found


def test_extras_are_split_by_weight() -> None:
    users = {"imaging", "omics", "survival", "deep", "explain", "boost", "data", "hpc"}
    assert set(EXTRAS) == users | {"core", "all", "docs", "test", "dev"}
    assert EXTRAS["core"] == []
    assert {r.name for r in requirements("all")} == {r.name for r in requirements(*users)}


def test_base_is_permissive_and_light() -> None:
    copyleft = {"scikit-survival", "igraph", "python-igraph", "leidenalg", "ecos"}
    heavy = {"torch", "scanpy", "simpleitk", "shap", "dask", "xgboost"}
    assert not (copyleft | heavy) & {canonicalize_name(r.name) for r in requirements()}
    assert [r.name for r in map(Requirement, EXTRAS["survival"])] == ["scikit-survival"]


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_every_dependency_is_pinned(extra: str) -> None:
    pinned = pins()
    for requirement in requirements(extra):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{requirement} has no line in constraints.txt"
        assert requirement.specifier.contains(pinned[name]), f"{requirement}: pin {pinned[name]}"


def test_what_the_dependencies_pull_in_is_pinned_too() -> None:
    pinned, missing, seen = pins(), set(), set()
    queue = requirements("imaging", "test")
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        missing |= {name} - set(pinned)
        try:
            queue += map(Requirement, metadata.requires(name) or [])
        except metadata.PackageNotFoundError:
            continue
    assert len(seen) > len(requirements("imaging", "test"))
    assert not missing


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy by the installed setuptools: nothing is written to the checkout."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        origin = CHECKOUT / name
        if origin.is_dir():
            shutil.copytree(origin, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, source / name)
    target = tmp_path_factory.mktemp("wheel")
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", build, str(target)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel laid out as an installation would, far from the checkout."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def files_under(folder: Path, suffixes: set[str]) -> set[str]:
    found = folder.rglob("*")
    return {p.relative_to(folder).as_posix() for p in found if p.suffix in suffixes and p.is_file()}


def test_wheel_holds_the_whole_package(installed: Path) -> None:
    everything = {".py", ".typed", ".html", ".css"}
    ours = files_under(CHECKOUT / "radiogenomics", everything)
    assert "py.typed" in ours
    assert any(name.startswith("report/templates/") for name in ours)
    assert files_under(installed / "radiogenomics", everything) == ours


@pytest.mark.parametrize("folder", sorted(SHIPPED))
def test_wheel_holds_recipes_and_manifests(installed: Path, folder: str) -> None:
    ours = files_under(CHECKOUT / folder, SHIPPED[folder])
    assert ours
    assert files_under(installed / "radiogenomics" / "_shipped" / folder, SHIPPED[folder]) == ours


def test_wheel_holds_nothing_else(installed: Path) -> None:
    (info,) = installed.glob("*.dist-info")
    assert {p.name for p in installed.iterdir()} == {"radiogenomics", info.name}
    assert (info / "licenses" / "LICENSE").is_file()


def test_installed_package_lists_its_recipes(installed: Path, tmp_path: Path) -> None:
    """From a wheel, in an empty folder: the lookup must not lean on the checkout."""
    done = subprocess.run(
        [sys.executable, "-c", "from radiogenomics.cli.main import app; app()", "study", "list"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for recipe in (CHECKOUT / "analyses").iterdir():
        if recipe.is_dir():
            assert recipe.name in done.stdout


def test_version_has_one_source() -> None:
    import radiogenomics

    assert radiogenomics.__version__ == metadata.version("radiogenomics") == PROJECT["version"]


def test_wheel_holds_the_compiled_kernels_and_not_their_sources(installed: Path) -> None:
    for home in ("imaging/radiomics", "stats/association"):
        assert len(list((installed / "radiogenomics" / home).glob("_kernels.*"))) == 1
    assert not files_under(installed, {".cpp", ".hpp"})
