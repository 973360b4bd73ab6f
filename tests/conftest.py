"""What every test may ask for: the shared real data and a generator of its own."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np
import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of the shared real data; the test is skipped, saying so, where it is absent."""
    root = Path(os.environ.get("RADIOGENOMICS_TEST_DATA", CHECKOUT.parent / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"no real data at {root}; set RADIOGENOMICS_TEST_DATA to their folder")
    return root


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Seeded by the test's name, so the order and the choice of tests change no result."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))
