"""Hold features and filters against the reference values of the IBSI, chapters 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import MissingFileError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.ibsi_diagnostics import ibsi_diagnostics
from radiogenomics.imaging.ibsi_engine import measure_ibsi, prepare_ibsi
from radiogenomics.io.images import read_image, read_mask
from radiogenomics.study.ibsi_configurations import CONFIGURATIONS, IbsiConfiguration
from radiogenomics.study.ibsi_filters import FilterCompliance, filter_compliance

REFERENCE_VALUES = "ibsi1_reference_values.csv"
REGION = "tumour"
# Significant digits that every reference value has, also where trailing zeros are not printed.
LEAST_DIGITS = 3
AGREED = ("moderate", "strong", "very strong")
NAMES = ("configuration", "family", "feature", "code", "tag", "aggregation")
VALUES = ("reference", "tolerance", "consensus", "ours", "within")


@dataclass(frozen=True, eq=False)
class IbsiCompliance:
    """What this installation computes beside what the standard says.

    Parameters
    ----------
    features
        Chapter 1, one row a reference value: ``configuration``, ``family``, ``feature``, ``code``,
        ``tag``, ``aggregation``, ``reference``, ``tolerance``, ``consensus``, ``ours``, ``within``.
        The values of the family ``diagnostic`` have no consensus.
    filters
        Chapter 2: response maps and values.
    """

    features: pd.DataFrame
    filters: FilterCompliance

    @property
    def ok(self) -> bool:
        """True if all values with a consensus lie within their tolerance, and all filters do."""
        agreed = self.features["consensus"].isin(AGREED)
        return bool(self.features.loc[agreed, "within"].all()) and self.filters.ok

    def counts(self) -> pd.DataFrame:
        """Values of chapter 1 by family and configuration: ``within`` tolerance, and ``all``."""
        groups = self.features.groupby(["family", "configuration"], sort=False)["within"]
        return pd.DataFrame({"within": groups.sum().astype(int), "all": groups.size()})

    def to_records(self) -> list[dict[str, Any]]:
        """One plain dictionary a comparison, for JSON; ``set`` says of which table."""
        tables = {
            "feature": self.features,
            "filter map": self.filters.maps,
            "filter value": self.filters.values,
        }
        return [
            {"set": name} | {str(key): _plain(value) for key, value in row.items()}
            for name, table in tables.items()
            for row in table.to_dict("records")
        ]


def ibsi_compliance(data_root: str | Path) -> IbsiCompliance:
    """Compute the reference data sets of the IBSI, features and filters, and compare.

    Parameters
    ----------
    data_root
        Folder that holds ``imaging/ibsi`` with phantoms and references.

    Raises
    ------
    MissingFileError
        A phantom or a reference is not there.

    References
    ----------
    Zwanenburg et al., Radiology 2020, doi:10.1148/radiol.2020191145. Whybra et al., Radiology 2024,
    doi:10.1148/radiol.231319.
    """
    return IbsiCompliance(feature_compliance(data_root), filter_compliance(data_root))


def feature_compliance(data_root: str | Path) -> pd.DataFrame:
    """Compute the digital phantom and configurations A to E of chapter 1 and compare.

    A value lies within its tolerance if, rounded to the digits of the reference, it differs by no
    more. References are given with three significant digits, the diagnostic ones with all.

    Parameters
    ----------
    data_root
        Folder that holds ``imaging/ibsi`` with phantoms and references.

    Returns
    -------
    DataFrame
        ``features`` of :class:`IbsiCompliance`.

    Raises
    ------
    MissingFileError
        A phantom or a reference is not there.
    """
    root = Path(data_root) / "imaging" / "ibsi"
    table = root / REFERENCE_VALUES
    if not table.is_file():
        raise MissingFileError(
            f"expected the reference values {table}; found no such file. Give the folder that "
            "holds imaging/ibsi as data_root."
        )
    reference = pd.read_csv(table, dtype={"value": str}).dropna(subset="value")
    ours = pd.DataFrame(
        [row for configuration in CONFIGURATIONS for row in _computed(root, configuration)]
    )
    # What is not computed is missing, and lies within no tolerance.
    found = reference.merge(
        ours, on=["configuration", "full_tag"], how="left", validate="one_to_one"
    )
    texts = zip(found["ours"], found["value"], found["tolerance"], strict=True)
    found = found.drop(columns="tag").rename(columns={"full_tag": "tag", "ibsi_code": "code"})
    return found.assign(
        reference=found["value"].astype(float),
        within=[_agrees(value, reference=text, tolerance=slack) for value, text, slack in texts],
    )[[*NAMES, *VALUES]]


def ibsi_text(result: IbsiCompliance) -> str:
    """Counts by family and configuration, and every value outside its tolerance, as text."""
    features, filters = result.features, result.filters
    counts = result.counts()
    cells = counts["within"].astype(str) + " / " + counts["all"].astype(str)
    grid = cells.unstack("configuration", fill_value="").reindex(
        index=features["family"].unique(), columns=features["configuration"].unique()
    )
    agreed = features["consensus"].isin(AGREED)
    lines = [
        "Chapter 1: features within tolerance, of those with a reference value",
        "",
        grid.rename_axis(index=None, columns=None).to_string(),
        "",
        f"With consensus: {_share(features.loc[agreed, 'within'])}. "
        f"Diagnostic: {_share(features.loc[~agreed, 'within'])}.",
        "",
        "Chapter 2: filters within tolerance",
        "",
        f"Response maps: {_share(filters.maps['within'])}. "
        f"Values: {_share(filters.values['within'])}.",
    ]
    for name, table in (
        ("Features", features),
        ("Response maps", filters.maps),
        ("Values of filters", filters.values),
    ):
        outside = table[~table["within"].astype(bool)]
        if len(outside):
            lines += ["", f"{name} outside their tolerance:", "", outside.to_string(index=False)]
    return "\n".join(lines)


def _computed(root: Path, configuration: IbsiConfiguration) -> Iterator[dict[str, Any]]:
    """Features of one configuration by full tag."""
    folder = root / "data_sets" / configuration.phantom / "nifti"
    image = read_image(folder / "image" / "phantom.nii.gz")
    mask = read_mask(folder / "mask" / "mask.nii.gz", image=image)
    # The standard has intensities rounded that a conversion of the phantom made fractions of.
    volume = Volume(np.rint(image.voxels), {REGION: mask}, image.spacing_mm)
    settings = configuration.settings
    prepared = prepare_ibsi(volume, REGION, settings, whole=True)
    found = measure_ibsi(prepared, settings, aggregations=configuration.aggregations)
    found |= ibsi_diagnostics(volume, REGION, prepared)
    for tag, value in found.items():
        yield {"configuration": configuration.name, "full_tag": tag, "ours": value}


def _agrees(value: float, *, reference: str, tolerance: float) -> bool:
    """Whether a value, rounded to the digits of its reference, lies within the tolerance."""
    digits = max(LEAST_DIGITS, _significant_digits(reference))
    rounded = float(f"{value:.{digits}g}")
    # Differences of decimal fractions are not exact in binary.
    margin = 1e-9 * max(abs(rounded), tolerance)
    return abs(rounded - float(reference)) <= tolerance + margin


def _significant_digits(number: str) -> int:
    """Digits of a printed number; zeros at the end count behind the point only."""
    mantissa = number.lower().partition("e")[0].lstrip("-")
    digits = mantissa.replace(".", "").lstrip("0")
    return len(digits if "." in mantissa else digits.rstrip("0"))


def _share(within: pd.Series) -> str:
    return f"{int(within.sum())} of {len(within)}"


def _plain(value: Any) -> Any:
    """A value that JSON knows; None for a missing one."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
