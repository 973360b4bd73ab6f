"""A second cohort of a map: its patients are others, and the strongest links are tried in them."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.log import get_logger
from radiogenomics.evaluation.association.inputs import MOST_MISSING, covariate_columns
from radiogenomics.evaluation.association.map import RadiogenomicMap
from radiogenomics.evaluation.association.replication import (
    SecondCohort,
    direction_agreement,
    replication_table,
)
from radiogenomics.stats.association.set_contrast import set_contrasts
from radiogenomics.stats.association.units import (
    Correlation,
    covariate_basis,
    unit_beside,
    unit_columns,
)
from radiogenomics.stats.permutation import permutations as draw_permutations
from radiogenomics.study.association.side_covariates import (
    beside_volume,
    known_covariates,
    strata_of,
)
from radiogenomics.study.association.sides import Sides
from radiogenomics.study.association.stages import Drawn, filled
from radiogenomics.study.findings import Findings

MOST_REPLICATED = 200
# Left of a column beside the covariates, as a share: below it they explain the column.
_EXPLAINED = 1e-6
# Correlations nearer to 1 are of a column with itself, and have no error that could be pooled.
_WHOLE = 1 - 1e-9


def require_second(first: Sides, second: Sides, *, fewest: int) -> None:
    """Check that a second cohort is one, before anything is computed.

    Raises
    ------
    DataError
        It has too few patients.
    StudyError
        Patients of the first are in it, as names and values of the same features tell.
    """
    n = len(second.features)
    if n < fewest:
        raise DataError(
            f"second cohort: expected at least {fewest} patients with features and genes; found "
            f"{n}. A handful of patients repeats nothing; leave it out, or force it."
        )
    again = first.features.index.intersection(second.features.index)
    if again.empty:
        return
    names = first.features.columns.intersection(second.features.columns)
    ours, theirs = (side.features.loc[again, names].to_numpy() for side in (first, second))
    same = int(np.isclose(ours, theirs, equal_nan=True).all(axis=1).sum()) if len(names) else 0
    cohorts = [side.cohort.id for side in (first, second) if side.cohort is not None]
    if same or len(set(cohorts)) < len(cohorts):
        raise StudyError(
            f"second cohort: expected other patients than in the first; found {same or len(again)} "
            f"of {n} with the same names and the same {'features' if same else 'manifest'}. Give "
            "the tables of other patients."
        )
    warnings.warn(
        f"{len(again)} of {n} patients of the second cohort have names of the first: if they are "
        "the same people, nothing is repeated in them.",
        RadiogenomicsWarning,
        stacklevel=2,
    )


def replication_stage(
    drawn: Drawn, second: Sides, *, volume: str | None, within: str | None
) -> Findings:
    """Try the strongest links of a map again in a second cohort, measured in the same way."""
    get_logger(__name__).info("replication in %s", second.name)
    method, limits = drawn.settings.method, drawn.settings.limits
    notes = []
    covariates, size = second.covariates, None
    try:
        covariates, size = beside_volume(second.features, second.covariates, volume)
    except UnknownNameError:
        notes.append(("warning", f"{second.name} has no {volume}: volume is not taken out there"))
    beside = _coded(covariates, size, method)
    if beside is not None or drawn.covariates is not None:
        columns = [] if covariates is None else list(map(str, covariates))
        words = known_covariates(size, columns)
        notes.append(("info", f"what is taken out of both sides in {second.name}: {words}"))
    features = _units(second.features, beside, method)
    genes = _units(second.genes, beside, method)
    names, members = [], []
    for name in drawn.found.inputs.set_names:
        at = genes.columns.get_indexer(pd.Index(list(dict.fromkeys(drawn.gene_sets[name]))))
        if limits.smallest <= (at >= 0).sum() < genes.shape[1]:
            names.append(name)
            members.append(at[at >= 0])
    sets = pd.DataFrame(index=genes.index)
    if names:
        sets = pd.DataFrame(set_contrasts(genes.to_numpy(), members).units, genes.index, names)
    # The columns are ranked already, where the map is one of ranks.
    cohort = SecondCohort(features, {"gene": genes, "set": sets}, beside=beside, method="pearson")
    return _tried(drawn, second, cohort, notes=notes, within=within)


def _tried(
    drawn: Drawn,
    second: Sides,
    cohort: SecondCohort,
    *,
    notes: list[tuple[str, str]],
    within: str | None,
) -> Findings:
    links, settings = to_replicate(drawn.found), drawn.settings
    strata = None
    if within is not None:
        try:
            strata = strata_of(
                within,
                covariates=second.covariates,
                cohort=second.cohort,
                patients=second.features.index,
            )
        except RadiogenomicsError:
            text = f"{second.name} has no {within} to permute within: all its patients are alike"
            notes.append(("warning", text))
    rng = np.random.default_rng([settings.seed, 4])
    n = len(second.features)
    orders = draw_permutations(n, settings.permutations, rng, blocks=strata)
    agreement = direction_agreement(links, cohort, orders=orders)
    with warnings.catch_warnings():
        # Both look at the same links; what is lacking is said once.
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        table = replication_table(
            links, cohort, first_covariates=drawn.found.inputs.basis.shape[1], level=settings.level
        )
    summary = summarised(table, drawn.found, alpha=settings.alpha).assign(
        cohort=second.name, p_direction=agreement.p, n=n
    )
    text = (
        f"{agreement.agreeing} of {agreement.pairs} links have in {second.name} the direction of "
        f"{drawn.sides.name} (permutation p {agreement.p:.2g}); they share features, genes and "
        "patients, so that they are far fewer than they seem"
    )
    tables = {"replication": table, "replication_summary": summary}
    return Findings(tables=tables, notes=(*notes, ("info", text)))


def summarised(table: pd.DataFrame, found: RadiogenomicMap, *, alpha: float) -> pd.DataFrame:
    """How many links were tried, point the same way, and were found in both; one row in all."""
    rates = []
    for kind, name, rate in (("gene", "links", "fdr"), ("set", "set_links", "fdr_contrast")):
        if name in found.tables:
            links = found.tables[name][["feature", kind, rate]]
            links = links.rename(columns={kind: "target", rate: "rate"}).assign(kind=kind)
            rates.append(links)
    both = table.merge(pd.concat(rates), on=["feature", "target", "kind"], how="left")
    tried = both[both["n_second"] > 0]
    first = tried["rate"] <= alpha
    again = first & (tried["fdr_second"] <= alpha)
    row = {
        "links": len(table),
        "tried": len(tried),
        "same_direction": int(tried["same_direction"].sum()),
        "found_first": int(first.sum()),
        "found_again": int(again.sum()),
    }
    return pd.DataFrame([row])


def to_replicate(found: RadiogenomicMap) -> pd.DataFrame:
    """Strongest links with genes and with sets, a kind's share each."""
    parts = []
    for kind, name, r in (("gene", "links", "rho"), ("set", "set_links", "contrast_rho")):
        if name not in found.tables:
            continue
        table = found.tables[name]
        whole = table[r].abs()
        table = table[(whole > 0) & (whole < _WHOLE)].head(MOST_REPLICATED)
        columns = {"feature": table["feature"], "target": table[kind], "r_first": table[r]}
        parts.append(pd.DataFrame(columns).assign(kind=kind, n_first=found.inputs.n))
    return pd.concat(parts, ignore_index=True)


def _coded(
    covariates: pd.DataFrame | None, volume: pd.Series[float] | None, method: Correlation
) -> pd.DataFrame | None:
    """Covariates and volume as numbers, ranked where the columns are."""
    tables = [] if covariates is None else [covariates]
    if volume is not None:
        tables.append(volume.fillna(volume.median()).rename("volume of the tumour").to_frame())
    if not tables:
        return None
    joined = pd.concat(tables, axis=1)
    values = covariate_columns(joined, joined.index, method)
    return pd.DataFrame(values, joined.index, [f"c{at}" for at in range(values.shape[1])])


def _units(table: pd.DataFrame, beside: pd.DataFrame | None, method: Correlation) -> pd.DataFrame:
    """Unit columns beside the covariates, of those that most patients have and that vary so."""
    table = filled(table.loc[:, table.isna().mean() <= MOST_MISSING])
    table = table.loc[:, table.nunique() > 1]
    if not table.shape[1]:
        return table
    basis = covariate_basis(None if beside is None else beside.to_numpy(), len(table))
    plain = unit_columns(table.to_numpy(), method=method)
    kept = 1 - ((basis.T @ plain) ** 2).sum(axis=0) > _EXPLAINED
    return pd.DataFrame(unit_beside(plain[:, kept], basis), table.index, table.columns[kept])
