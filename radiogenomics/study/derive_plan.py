"""A plan of derivation: which genes are candidates, how they are chosen, and how that is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from radiogenomics.core.schema import Record, parse, read_yaml
from radiogenomics.study.schema import Folds, NotNegative, Positive

Share = Annotated[float, Field(gt=0, lt=1)]
Level = Annotated[float, Field(gt=0, le=1)]


class Candidates(Record):
    """Filters that make a gene a candidate; none of them looks at survival.

    Parameters
    ----------
    expressed
        Smallest mean of the tumours, on the logarithmic scale; None for no such filter.
    tumour_normal
        Largest FDR of tumour against normal tissue (moderated t, in every cohort that has normals);
        None for no such filter.
    log2_fold_change
        Smallest absolute difference of tumour and normal, where ``tumour_normal`` is set.
    protein
        Largest FDR of a positive rank correlation of RNA and protein; None for no such filter.
    gene_set
        Name of a gene set that candidates must belong to, shipped or in the GMT; None for all.
    immune_score
        Name of a gene set whose score candidates must correlate with, in either direction.
    immune_fdr
        Largest FDR of that correlation.
    purity
        Name of a gene set whose score the correlation is adjusted for, as stroma or immune
        infiltration at large.
    """

    expressed: float | None = 1.0
    tumour_normal: Level | None = None
    log2_fold_change: Annotated[float, Field(ge=0)] = 0.0
    protein: Level | None = None
    gene_set: str | None = None
    immune_score: str | None = None
    immune_fdr: Level = 0.05
    purity: str | None = None


class DerivationPlan(Record):
    """How a signature is derived and judged; every default is a choice that a user may overrule.

    Parameters
    ----------
    assay, protein_assay
        Names in the manifests.
    candidates
        Filters before survival is looked at.
    keep
        Genes that the pooled univariate Cox screen leaves for the search.
    search
        ``subset`` (best subset of one to ``max_size`` genes) or ``stepwise`` (forward and backward
        by BIC, at most ``max_size`` genes).
    max_size, size
        Most genes; exactly so many where ``size`` is given.
    inner_folds
        In which the search chooses its size, where there is one cohort; with several, one cohort at
        a time is left out instead.
    cutoff
        Quantile of the training patients' risk above which is high.
    folds, repeats
        Of the outer cross-validation, which repeats screen and search.
    permutations
        Whole cross-validations repeated with permuted outcomes.
    random_signatures
        Signatures of equal size from random candidates, and as many from genes of like expression.
    proliferation
        Gene set, shipped or in the GMT, whose score the signature is adjusted for.
    minimum_events
        Fewest events in the cohorts derived from, and in a cohort to validate in.
    """

    assay: str = "rna"
    protein_assay: str = "protein"
    candidates: Candidates = Candidates()
    keep: Positive = 200
    search: Literal["subset", "stepwise"] = "subset"
    max_size: Annotated[int, Field(ge=1, le=3)] = 2
    size: Annotated[int, Field(ge=1, le=3)] | None = None
    inner_folds: Folds = 5
    cutoff: Share = 0.5
    folds: Folds = 5
    repeats: Positive = 3
    permutations: Positive = 19
    random_signatures: NotNegative = 1000
    proliferation: str | None = None
    minimum_events: Positive = 20

    @model_validator(mode="after")
    def _fits(self) -> DerivationPlan:
        if self.size is not None and self.size > self.max_size:
            raise ValueError(f"size {self.size} is above max_size {self.max_size}")
        if self.keep < self.max_size:
            raise ValueError(f"keep {self.keep} is below max_size {self.max_size}")
        return self


def read_derivation_plan(path: str | Path | None) -> DerivationPlan:
    """Read a plan, or take the default one when there is no path.

    Raises
    ------
    MissingFileError, SchemaError
        There is no such file, or a field is wrong.
    """
    if path is None:
        return DerivationPlan()
    return parse(DerivationPlan, read_yaml(Path(path)), where=Path(path).name)
