"""A plan of derivation: which genes are candidates, how they are chosen, and how that is judged."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from radiogenomics.core.schema import Record
from radiogenomics.omics.signature.search import SizeRule
from radiogenomics.stats.meta_analysis import PoolingMethod
from radiogenomics.study.recipe import Folds, NotNegative, Positive

Share = Annotated[float, Field(gt=0, lt=1)]
Level = Annotated[float, Field(gt=0, le=1)]
LARGEST_SUBSET = 3
Names = tuple[str, ...]
Selector = Literal["subset", "stepwise", "lasso", "elastic_net", "stability", "forest", "boosting"]
GridLearner = Literal["cox", "ridge_cox", "forest", "boosting"]


class Candidates(Record):
    """Filters that make a gene a candidate; none of them looks at survival.

    Parameters
    ----------
    expressed
        Smallest mean of the tumours, on the logarithmic scale; None for no such filter.
    tumour_normal
        Largest FDR of tumour against normal tissue, in every cohort that has normals; None for no
        such filter.
    tissue_test
        Of it: ``moderated_t`` on logarithms, or ``counts`` (PyDESeq2) where a cohort has counts.
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
    cell_types, cell_share
        Types of the single-cell file of which one at least must express a gene, and the smallest
        share of that type's cells that have a read of it.
    responders
        Largest FDR of responders against others, in the pseudobulk of one of these types at least.
    """

    expressed: float | None = 1.0
    tumour_normal: Level | None = None
    tissue_test: Literal["moderated_t", "counts"] = "moderated_t"
    log2_fold_change: Annotated[float, Field(ge=0)] = 0.0
    protein: Level | None = None
    gene_set: str | None = None
    immune_score: str | None = None
    immune_fdr: Level = 0.05
    purity: str | None = None
    cell_types: Names = ()
    cell_share: Share = 0.1
    responders: Level | None = None


class CellColumns(Record):
    """Columns of the single-cell file's ``obs``."""

    cell_type: str = "cell_type"
    patient: str = "patient_id"
    responder: str = "responder"


class Grid(Record):
    """What ``search: grid`` combines: words of searches, and of learners fitted to their genes."""

    selectors: Annotated[tuple[Selector, ...], Field(min_length=1)] = (
        "subset",
        "lasso",
        "stepwise",
    )
    learners: Annotated[tuple[GridLearner, ...], Field(min_length=1)] = ("cox", "ridge_cox")


class DerivationPlan(Record):
    """How a signature is derived and judged; every default is a choice that a user may overrule.

    Parameters
    ----------
    assay, protein_assay, cells
        Names in the manifests, and of columns in the single-cell file.
    candidates
        Filters before survival is looked at.
    keep, pooling
        Genes that the univariate Cox screen leaves for the search, and how it pools cohorts:
        ``fixed``, as the search does, or by random effects (``reml``, ``dersimonian_laird``,
        ``paule_mandel``), whose variance between three cohorts is so rough that true genes fall
        behind by chance. Heterogeneity is in the table of the screen either way.
    search
        ``subset`` (best subset of one to ``max_size`` genes, 3 at most), ``stepwise`` (forward and
        backward by BIC), ``lasso`` and ``elastic_net`` (penalised Cox), ``stability`` (genes that
        the LASSO keeps in most halves of the patients), ``forest`` and ``boosting`` (permutation
        importance of a survival forest, of boosted Cox trees) or ``grid`` (the best combination of
        ``grid`` in inner folds).
    max_size, size
        Most genes; exactly so many where ``size`` is given (``subset`` only).
    size_rule
        Of ``subset``: ``ebic``, the least extended BIC, which pays for the subsets looked at;
        ``1se``, the smallest size that falls short of the best left-out concordance by at most one
        standard error; or ``best``, the size that has it.
    grid
        Of ``search: grid``.
    inner_folds
        In which the search chooses its size or penalty; ``subset`` leaves out one cohort at a time
        instead, where there are several.
    cutoff
        Quantile of the training patients' risk above which is high.
    folds, repeats
        Of the outer cross-validation, which repeats screen and search.
    permutations
        Whole cross-validations repeated with permuted outcomes.
    random_signatures
        Signatures of equal size from random candidates, and as many from genes of like expression.
    bootstraps
        Derivations repeated in 63.2 % of the patients, drawn without replacement, to count which
        genes come back.
    proliferation
        Gene set, shipped or in the GMT, whose score the signature is adjusted for.
    covariates, subgroups
        Columns of the patients, that the risk is adjusted for and looked at within.
    horizons
        Months at which accuracy and calibration are taken; chosen from the follow-up when None.
    contrasts, gsea
        Gene sets whose scores are compared between high and low risk, and that enrichment is
        tested for; a name ending in ``*`` stands for all that begin so. No contrasts named: those
        that are shipped.
    minimum_events
        Fewest events in the cohorts derived from, and in a cohort to validate in.
    """

    assay: str = "rna"
    protein_assay: str = "protein"
    cells: CellColumns = CellColumns()
    candidates: Candidates = Candidates()
    keep: Positive = 200
    pooling: PoolingMethod = "fixed"
    search: Literal[Selector, "grid"] = "subset"
    grid: Grid = Grid()
    max_size: Positive = 2
    size: Annotated[int, Field(ge=1, le=3)] | None = None
    size_rule: SizeRule = "ebic"
    inner_folds: Folds = 5
    cutoff: Share = 0.5
    folds: Folds = 5
    repeats: Positive = 3
    permutations: Positive = 19
    random_signatures: NotNegative = 1000
    bootstraps: NotNegative = 100
    proliferation: str | None = None
    covariates: Names = ()
    subgroups: Names = ()
    horizons: tuple[Annotated[float, Field(gt=0)], ...] | None = None
    contrasts: Names = ()
    gsea: Names = ()
    minimum_events: Positive = 20

    @model_validator(mode="after")
    def _fits(self) -> DerivationPlan:
        if self.size is not None and self.size > self.max_size:
            raise ValueError(f"size {self.size} is above max_size {self.max_size}")
        if self.search == "subset" and self.max_size > LARGEST_SUBSET:
            raise ValueError(
                f"max_size {self.max_size} is above {LARGEST_SUBSET}, the largest subsets of which "
                "all are tried"
            )
        if self.size is not None and self.search != "subset":
            raise ValueError(f"size is for search: subset; found search: {self.search}")
        if self.keep < self.max_size:
            raise ValueError(f"keep {self.keep} is below max_size {self.max_size}")
        return self
