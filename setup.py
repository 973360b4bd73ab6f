"""What pyproject.toml cannot say: packages, two data folders from outside them, compiled kernels.

``analyses/`` and ``data_manifests/`` stand at the top of the checkout, where people look for them,
and travel in the wheel as ``radiogenomics/_shipped/`` (docs/decisions/0001-build-backend.md). The
kernels of radiomics are one extension module, and those of associations another
(docs/decisions/0004-compiled-kernels.md).
"""

from pathlib import Path

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension
from setuptools import find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, CompileError, ExecError, PlatformError

SHIPPED = ["radiogenomics._shipped.analyses", "radiogenomics._shipped.data_manifests"]
HOMES = (Path("radiogenomics/imaging/radiomics"), Path("radiogenomics/stats/association"))

NO_COMPILER = """\
the compiled kernels of radiogenomics could not be built.
Expected: a C++17 compiler and the headers of this Python. Found: the failure above.
Install both and repeat the command:
  Debian, Ubuntu   apt install g++ python3-dev
  Fedora, RHEL     dnf install gcc-c++ python3-devel
  macOS            xcode-select --install
  conda            conda install -c conda-forge cxx-compiler"""


def sources(home: Path, suffix: str) -> list[str]:
    """Files of the kernels, in an order that is the same on every machine."""
    return sorted(path.as_posix() for path in (home / "kernels").glob(f"*{suffix}"))


class BuildKernels(build_ext):
    """Says what to install where nothing can be compiled."""

    def build_extension(self, ext: Pybind11Extension) -> None:
        """Compile and link one extension module."""
        try:
            super().build_extension(ext)
        except (CCompilerError, ExecError, PlatformError) as error:
            raise CompileError(f"{error}\n\n{NO_COMPILER}") from error


def kernels(home: Path) -> Pybind11Extension:
    """Return the extension module of one folder of the package."""
    return Pybind11Extension(
        ".".join([*home.parts, "_kernels"]),
        sources(home, ".cpp"),
        depends=[*sources(home, ".hpp"), "setup.py"],
        cxx_std=17,
        # No -march: a wheel runs on every processor of its kind. No fused multiply-add: it would
        # give the last digit another value on processors that have it.
        extra_compile_args=["-O3", "-ffp-contract=off", "-pthread"],
        extra_link_args=["-pthread"],
    )


ParallelCompile(default=2).install()
setup(
    packages=find_packages(include=["radiogenomics", "radiogenomics.*"]) + SHIPPED,
    ext_modules=[kernels(home) for home in HOMES],
    cmdclass={"build_ext": BuildKernels},
)
