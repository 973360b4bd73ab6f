from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from radiogenomics.core.errors import MissingFileError
from radiogenomics.study import ibsi
from radiogenomics.study.ibsi import (
    AGREED,
    IbsiCompliance,
    feature_compliance,
    ibsi_text,
)
from radiogenomics.study.ibsi_filters import FilterCompliance

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")


@pytest.fixture(scope="session")
def features(data_root: Path) -> pd.DataFrame:
    return feature_compliance(data_root)


@pytest.mark.real
@pytest.mark.parametrize(
    ("configuration", "values"),
    [("digital_phantom", 482), ("A", 346), ("B", 346), ("C", 210), ("D", 210), ("E", 210)],
)
def test_every_value_agreed_upon_is_within_its_tolerance(
    features, configuration: str, values: int
) -> None:
    mine = features[features["configuration"] == configuration]
    agreed = mine[mine["consensus"].isin(AGREED)]
    assert len(agreed) == values
    outside = agreed[~agreed["within"]]
    assert outside.empty, outside.to_string()


@pytest.mark.real
def test_diagnostic_values_are_within_their_tolerance(features) -> None:
    diagnostic = features[features["family"] == "diagnostic"]
    assert len(diagnostic) == 300
    assert diagnostic["within"].all(), diagnostic[~diagnostic["within"]].to_string()


@pytest.mark.real
def test_a_wrong_step_is_noticed(data_root: Path, monkeypatch) -> None:
    """One bin too many in configuration B: statistics cannot see it, textures must."""
    (b,) = (item for item in ibsi.CONFIGURATIONS if item.name == "B")
    wrong = replace(b, settings=b.settings.model_copy(update={"bin_count": 33}))
    monkeypatch.setattr(ibsi, "CONFIGURATIONS", (wrong,))
    found = feature_compliance(data_root).query("configuration == 'B'").set_index("family")
    assert found.loc["intensity_statistics", "within"].all()
    assert not found.loc["glcm", "within"].all()
    assert not found.loc["glszm", "within"].all()


def test_a_folder_without_references_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="ibsi1_reference_values"):
        feature_compliance(tmp_path)


@pytest.fixture
def result() -> IbsiCompliance:
    rows = [
        ("A", "glcm", "Contrast", "ACUI", "cm_contrast_2D_avg", "2D", 5.28, 0.01, "strong"),
        ("A", "glcm", "Energy", "8ZQL", "cm_energy_2D_avg", "2D", 0.368, 0.0, "strong"),
        ("A", "diagnostic", None, None, "img_dim_x_init_img", None, 204.0, 0.0, None),
    ]
    columns = ["configuration", "family", "feature", "code", "tag", "aggregation"]
    columns += ["reference", "tolerance", "consensus"]
    features = pd.DataFrame(rows, columns=columns)
    features = features.assign(ours=[5.281, float("nan"), 204.0], within=[True, False, True])
    maps = pd.DataFrame({"map": ["2.a"], "deviation": [0.1], "within": [True]})
    values = pd.DataFrame({"tag": ["stat_mean"], "ours": [1.0], "within": [True]})
    return IbsiCompliance(features, FilterCompliance(maps, values))


def test_text_counts_and_names_what_lies_outside(result: IbsiCompliance) -> None:
    text = ibsi_text(result)
    assert "1 / 2" in text
    assert "With consensus: 1 of 2. Diagnostic: 1 of 1." in text
    assert "cm_energy_2D_avg" in text
    assert "cm_contrast_2D_avg" not in text
    assert not result.ok


def test_records_are_json_without_nan(result: IbsiCompliance) -> None:
    records = json.loads(json.dumps(result.to_records(), allow_nan=False))
    assert [record["set"] for record in records] == [
        *["feature"] * 3,
        "filter map",
        "filter value",
    ]
    assert records[1]["ours"] is None
    assert records[1]["within"] is False
