"""All reference maps and feature values of IBSI chapter 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from radiogenomics.core.errors import MissingFileError
from radiogenomics.study.ibsi_filters import FilterCompliance, filter_compliance

MAPS = (
    *("1.a.1", "1.a.2", "1.a.3", "1.a.4", "1.b.1", "2.a", "2.b", "2.c"),
    *("3.a.1", "3.a.2", "3.a.3", "3.b.1", "3.b.2", "3.b.3", "3.c.1", "3.c.2", "3.c.3"),
    *("4.a.1", "4.a.2", "4.b.1", "4.b.2", "5.a.1", "5.a.2", "6.a.1", "6.a.2"),
    *("7.a.1", "7.a.2", "8.a.1", "8.a.2", "8.a.3", "9.a", "9.b.1", "10.b.1"),
)
CONFIGURATIONS = tuple(f"IBSI2_{number}.{way}" for number in range(1, 10) for way in "AB")


@pytest.fixture(scope="module")
def found(data_root: Path) -> FilterCompliance:
    pytest.importorskip("pywt")
    pytest.importorskip("SimpleITK")
    if not (data_root / "imaging" / "ibsi").is_dir():
        pytest.skip(f"no IBSI data below {data_root}")
    return filter_compliance(data_root)


@pytest.mark.real
def test_every_reference_map_is_made(found: FilterCompliance, data_root: Path) -> None:
    folder = data_root / "imaging/ibsi/ibsi_2_reference_data/reference_response_maps"
    files = {path.name.split("-")[0].replace("_", ".") for path in folder.iterdir()}
    assert set(found.maps["map"]) == files == set(MAPS)


@pytest.mark.real
@pytest.mark.parametrize("name", MAPS)
def test_map_deviates_by_at_most_a_hundredth_of_its_range(
    name: str, found: FilterCompliance
) -> None:
    row = found.maps.set_index("map").loc[name]
    assert row["deviation"] <= row["tolerance"]


@pytest.mark.real
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_values_lie_within_their_tolerances(configuration: str, found: FilterCompliance) -> None:
    rows = found.values[found.values["configuration"] == configuration]
    # 8.B has no reference for the quartile coefficient of dispersion.
    assert len(rows) == (17 if configuration == "IBSI2_8.B" else 18)
    outside = rows[~((rows["ours"] - rows["reference"]).abs() <= rows["tolerance"])]
    assert outside.empty, outside.to_string()


@pytest.mark.real
def test_nothing_lies_outside(found: FilterCompliance) -> None:
    assert found.ok
    assert found.maps["within"].all()
    assert len(found.values) == 18 * 18 - 1


def test_missing_references_say_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="ibsi2_reference_values.csv.*as data_root"):
        filter_compliance(tmp_path)
