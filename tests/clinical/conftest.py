"""Real tables that several calculators are held against."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def hcc_tace(data_root: Path) -> pd.DataFrame:
    """HCC-TACE-Seg: patients with recorded Child-Pugh class, BCLC, CLIP, Okuda and AFP group."""
    folder = data_root / "tables" / "hcc-tace-seg_clinical"
    files = sorted(folder.glob("*.csv"))
    if not files:
        pytest.skip(f"no table in {folder}")
    return pd.read_csv(files[0], encoding="utf-8-sig")
