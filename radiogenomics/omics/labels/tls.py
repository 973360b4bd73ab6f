"""Tertiary lymphoid structures (TLS): by expression, or by what the pathologist saw."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd

from radiogenomics.core.errors import OutcomeError, UnknownNameError, short_list
from radiogenomics.core.method import Method
from radiogenomics.omics.gene_sets.tls import CHEMOKINES_12
from radiogenomics.omics.labels.score_label import Cutoff, ScoreLabel
from radiogenomics.omics.scoring.pc1 import PrincipalComponent
from radiogenomics.omics.scoring.scorer import GeneSetScorer

GRADES = ("none", "aggregate", "primary follicle", "secondary follicle")
"""Grades of maturation, rising: no TLS, aggregate without follicle, without and with germinal
centre."""


class TLSLabel(ScoreLabel):
    """TLS high or low by a score of genes.

    By default the first principal component of twelve chemokines, cut at the median of the training
    patients. Expression of bulk tissue says that lymphocytes gather, not where: it cannot tell a
    TLS inside the tumour from one beside it, nor from a lymph node in the sample.

    Parameters
    ----------
    scorer
        Of one gene set.
    cutoff
        See :class:`~radiogenomics.omics.labels.score_label.ScoreLabel`.

    References
    ----------
    Messina et al. 2012, doi:10.1038/srep00765.
    """

    card: ClassVar[Method] = Method(
        name="tls",
        title="Tertiary lymphoid structures by a score of genes",
        scope="omics: label",
        reference="Messina et al., Sci Rep 2012;2:765, doi:10.1038/srep00765",
        limits="Bulk tissue does not say where lymphocytes gather; no cut-off for liver cancer is "
        "published.",
        learns=True,
    )

    def __init__(self, scorer: GeneSetScorer | None = None, cutoff: Cutoff | None = None) -> None:
        self.scorer = scorer
        self.cutoff = cutoff

    def _scorer(self) -> GeneSetScorer:
        return PrincipalComponent(CHEMOKINES_12) if self.scorer is None else self.scorer


def tls_by_grade(grade: pd.Series[Any], *, least: str = "aggregate") -> pd.Series[bool]:
    """Call TLS present from the highest grade of maturation that was seen in a patient.

    Parameters
    ----------
    grade
        One of :data:`GRADES` a patient.
    least
        Lowest grade that counts as present. Which one published radiomics studies of HCC took is
        not public; any aggregate is a default of this package.

    Returns
    -------
    pandas.Series of bool

    Raises
    ------
    UnknownNameError
        ``least`` or a grade is none of the known ones.
    OutcomeError
        A patient has no grade.

    Examples
    --------
    >>> grade = pd.Series(["none", "secondary follicle"], index=["P1", "P2"])
    >>> tls_by_grade(grade, least="primary follicle").to_dict()
    {'P1': False, 'P2': True}
    """
    if least not in GRADES:
        raise UnknownNameError("grade of TLS", least, GRADES)
    if grade.isna().any():
        raise OutcomeError(
            f"expected a grade of TLS for each patient; found {int(grade.isna().sum())} without "
            f"({short_list(grade.index[grade.isna()])}). Write 'none' where none was seen, and "
            "leave out patients who were not looked at."
        )
    strange = sorted(set(map(str, grade)) - set(GRADES))
    if strange:
        raise UnknownNameError("grade of TLS", strange[0], GRADES)
    return grade.map(GRADES.index).ge(GRADES.index(least)).rename("TLS")
