"""A small cohort in files, as a user would bring it, and its manifest as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml


@dataclass
class World:
    """Folder with data, and the manifest that a test may change before it is written."""

    root: Path
    manifest: dict[str, Any]
    clinical: pd.DataFrame
    rna: pd.DataFrame

    def write(self) -> Path:
        self.clinical.to_csv(self.root / "clinical.csv", index=False)
        self.rna.to_csv(self.root / "rna.csv")
        path = self.root / "manifest.yaml"
        path.write_text(yaml.safe_dump(self.manifest, sort_keys=False), encoding="utf-8")
        return path


@pytest.fixture
def world(tmp_path: Path, rng: np.random.Generator) -> World:
    """Thirty patients with five genes, survival in days and a response; nothing is wrong."""
    ids = [f"P{number:02d}" for number in range(1, 31)]
    clinical = pd.DataFrame(
        {
            "id": ids,
            "age": rng.integers(40, 80, 30),
            "gender": ["M", "F"] * 15,
            "days": rng.integers(30, 2000, 30),
            "dead": [1, 0] * 15,
            "best": ["CR", "PR", "SD", "PD", "SD"] * 6,
        }
    )
    genes = pd.Index(["KPNA2", "SMG5", "CD8A", "CXCL9", "TP53"], name="gene")
    rna = pd.DataFrame(rng.normal(6, 1, (5, 30)), index=genes, columns=ids)
    manifest = {
        "cohort": "small",
        "licence": "none",
        "citation": "nobody",
        "patients": {
            "file": "clinical.csv",
            "id": {"column": "id"},
            "columns": {
                "age": "age",
                "sex": {"column": "gender", "map": {"M": "male", "F": "female"}},
            },
        },
        "assays": {
            "rna": {
                "file": "rna.csv",
                "orientation": "genes_by_samples",
                "identifiers": "symbol",
                "unit": "log2(TPM+1)",
            }
        },
        "outcomes": {
            "OS": {"kind": "survival", "time": "days", "event": "dead", "time_unit": "days"},
            "response": {"kind": "response", "column": "best", "criterion": "mRECIST"},
        },
    }
    return World(tmp_path, manifest, clinical, rna)
