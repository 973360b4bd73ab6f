"""The fuzz cases once more, on kernels that stop at the first read or write out of bounds.

The same sources are compiled with the address and undefined-behaviour sanitisers of the compiler at
hand, whose runtime must be loaded before Python.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pybind11
import pytest

TESTS = Path(__file__).resolve().parents[1]
PACKAGE = TESTS.parent / "radiogenomics"
HOMES = sorted(path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("kernels"))
SANITISERS = (
    "-fsanitize=address,undefined,float-cast-overflow",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
)


def run(*command: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A compiler that links a sanitised library; the test is skipped, saying so, without one."""
    named = os.environ.get("CXX", "g++").split()[0]
    found = shutil.which(named)
    if found is None:
        pytest.skip(f"no {named} to compile the kernels with")
    probe = tmp_path_factory.mktemp("probe") / "probe.cpp"
    probe.write_text("int probe() { return 0; }\n", encoding="utf-8")
    done = run(found, "-shared", "-fPIC", *SANITISERS, probe, "-o", probe.with_suffix(".so"))
    if done.returncode != 0 or runtime(found, "libasan.so") is None:
        pytest.skip(f"{named} has no address sanitiser")
    return found


def runtime(compiler: str, library: str) -> str | None:
    """Path of a library of the compiler's; None where it has no such library."""
    path = run(compiler, f"-print-file-name={library}").stdout.strip()
    return path if Path(path).is_absolute() else None


def sanitised(compiler: str, sources: Path, folder: Path) -> Path:
    """The extension module of a folder of sources, compiled with sanitisers."""
    options = (
        *("-std=c++17", "-O0", "-fPIC", "-fvisibility=hidden", "-pthread", *SANITISERS),
        *(f"-I{path}" for path in (pybind11.get_include(), sysconfig.get_path("include"))),
    )

    def compiled(source: Path) -> Path:
        target = folder / f"{source.stem}.o"
        done = run(compiler, *options, "-c", source, "-o", target)
        assert done.returncode == 0, done.stderr
        return target

    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compiled, sorted(sources.glob("*.cpp"))))
    module = folder / "_kernels.so"
    done = run(compiler, "-shared", "-pthread", *SANITISERS, *objects, "-o", module)
    assert done.returncode == 0, done.stderr
    return module


def sanitised_python(compiler: str, module: Path, *arguments: object) -> str:
    """Run Python with the sanitisers' runtime loaded; return what went wrong, if anything."""
    libraries = (runtime(compiler, name) for name in ("libasan.so", "libstdc++.so.6"))
    done = run(
        sys.executable,
        *arguments,
        LD_PRELOAD=" ".join(filter(None, libraries)),
        ASAN_OPTIONS="detect_leaks=0",  # Python itself keeps memory until the end
        UBSAN_OPTIONS="print_stacktrace=1",
        RADIOGENOMICS_KERNELS=str(module),
    )
    if done.returncode == 0:
        return ""
    # Of a stack a hundred calls deep, what is said of the kernels.
    telling = [line for line in done.stderr.splitlines() if re.search("(?i)error:|/kernels/", line)]
    return "\n".join([f"exit status {done.returncode}", *telling[:40], done.stdout[-4000:]])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD loads the runtime on Linux only")
@pytest.mark.parametrize("home", HOMES)
def test_fuzz_cases_touch_no_foreign_memory(home: str, compiler: str, tmp_path: Path) -> None:
    module = sanitised(compiler, PACKAGE / home / "kernels", tmp_path)
    # Nothing is captured: what a sanitiser says before it ends the process must be seen.
    options = ("-q", "-s", "-p", "no:cacheprovider", "--noconftest")
    fuzz = TESTS / home / "test_kernels_fuzz.py"
    failure = sanitised_python(compiler, module, "-m", "pytest", *options, fuzz)
    assert not failure, failure


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD loads the runtime on Linux only")
def test_sanitiser_is_awake(compiler: str, tmp_path: Path) -> None:
    """A library that writes past its array must be stopped, or the test above proves nothing."""
    source = tmp_path / "careless.cpp"
    source.write_text(
        'extern "C" int careless(int place) {\n'
        "  int* four = new int[4]();\n"
        "  four[place] = 1;\n"
        "  const int sum = four[0] + four[3];\n"
        "  delete[] four;\n"
        "  return sum;\n"
        "}\n",
        encoding="utf-8",
    )
    library = source.with_suffix(".so")
    done = run(compiler, "-shared", "-fPIC", *SANITISERS, source, "-o", library)
    assert done.returncode == 0, done.stderr
    calls = (f"import ctypes; ctypes.CDLL({str(library)!r}).careless({place})" for place in (3, 4))
    inside, outside = (sanitised_python(compiler, library, "-c", call) for call in calls)
    assert not inside
    assert "heap-buffer-overflow" in outside
