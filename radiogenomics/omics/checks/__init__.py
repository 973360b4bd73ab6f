"""Checks of expression tables: unit, orientation, strange samples, sex."""

from radiogenomics.omics.checks.expression import check_expression
from radiogenomics.omics.checks.orientation import check_orientation
from radiogenomics.omics.checks.outliers import ExpressionOutliers
from radiogenomics.omics.checks.sex import SexAgreement, check_sex, molecular_sex
from radiogenomics.omics.checks.units import UnitGuess, check_unit, guess_unit

__all__ = [
    "ExpressionOutliers",
    "SexAgreement",
    "UnitGuess",
    "check_expression",
    "check_orientation",
    "check_sex",
    "check_unit",
    "guess_unit",
    "molecular_sex",
]
