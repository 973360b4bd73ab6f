"""What pyproject.toml cannot say: the packages found, and two data folders from outside them.

``analyses/`` and ``data_manifests/`` stand at the top of the checkout, where people look for them,
and travel in the wheel as ``radiogenomics/_shipped/``. Compiled extensions are declared here too
(docs/decisions/0001-build-backend.md).
"""

from setuptools import find_packages, setup

SHIPPED = ["radiogenomics._shipped.analyses", "radiogenomics._shipped.data_manifests"]

setup(packages=find_packages(include=["radiogenomics", "radiogenomics.*"]) + SHIPPED)
