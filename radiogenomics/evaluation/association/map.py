"""The radiogenomic map: which image features go with which genes and pathways, and its nulls.

Links are rank (or linear) correlations, partial beside covariates, with p by t and
Benjamini–Hochberg. Gene sets are tested against all other genes, by the running sum of pre-ranked
GSEA and by their mean correlation. The null permutes the patients, so that genes stay together as
they do in these patients, and features too: a set of random *genes* as null finds pathways in noise
(Goeman & Bühlmann 2007, doi:10.1093/bioinformatics/btm051). From the largest statistic of each deal
come family-wise p over all pairs, over the genes of a feature and over the features of a gene
(Westfall & Young 1993, Resampling-Based Multiple Testing).

It misleads where patients of several scanners or sites are mixed (name these as covariates, or
permute within them), and where purity or volume stand behind both sides. What is found is
association: no feature measures a gene.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError
from radiogenomics.core.evidence import Metric
from radiogenomics.core.html import card
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.evaluation.association.inputs import (
    FEWEST_PATIENTS,
    VOLUME,
    MapInputs,
    map_inputs,
    not_called_volume,
    volume_column,
)
from radiogenomics.evaluation.association.links import (
    Kept,
    family_p,
    family_p_each,
    feature_table,
    gene_table,
    link_table,
)
from radiogenomics.evaluation.association.set_limits import SetLimits
from radiogenomics.evaluation.association.sets import pathway_table, set_link_table
from radiogenomics.evaluation.association.vanished import vanished_table
from radiogenomics.stats.association.null_pass import NullPass, null_pass
from radiogenomics.stats.association.units import Correlation, correlation_interval
from radiogenomics.stats.inputs import check_level
from radiogenomics.stats.permutation import permutations as draw_permutations
from radiogenomics.stats.ranks import spearman

SPLIT = "map"
GENES, RUNNING_SUMS, CONTRASTS = "genes", "gene sets, running sum", "gene sets, mean correlation"
# |rho| with tumour volume from which a feature says much of what volume says.
CONFOUNDED = 0.6


@dataclass(frozen=True)
class MapSettings:
    """How a map is drawn.

    Parameters
    ----------
    method
        ``"spearman"`` (ranks) or ``"pearson"``.
    permutations
        Deals of the patients; family-wise p are not below 1 by one more than these.
    alpha
        False discovery rate, and family-wise p, up to which a link counts as found.
    level
        Of intervals.
    limits
        Of the gene sets.
    weight
        Exponent of the running sum.
    kept
        Rows that the tables of all pairs keep.
    fewest
        Patients below which a map is refused.
    seed, threads
        Of the deals; of this process. The result does not depend on ``threads``.
    """

    method: Correlation = "spearman"
    permutations: int = 1000
    alpha: float = 0.05
    level: float = 0.95
    limits: SetLimits = SetLimits()
    weight: float = 1.0
    kept: Kept = Kept()
    fewest: int = FEWEST_PATIENTS
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        """Check what nothing later would."""
        check_level(self.level)
        if self.permutations < 19 or not 0 < self.alpha < 1:
            raise DataError(
                "map: expected at least 19 permutations, so that p can reach 0.05, and alpha "
                f"between 0 and 1; found {self.permutations} and {self.alpha}. 1000 is usual."
            )


@dataclass(frozen=True, eq=False)
class RadiogenomicMap:
    """A map, its tables and its nulls.

    Parameters
    ----------
    tables
        Name → tidy table: ``map_summary``, ``links``, ``gene_links``, ``feature_links``,
        ``map_null``, ``left_out``; with gene sets ``set_links`` and ``pathway_links``; with
        covariates ``vanished``.
    metrics
        The strongest link of each kind, against what permuted patients give.
    covariates
        What was taken out of both sides, with the volume; None for nothing.
    inputs
        The columns that were used.
    null
        What permuted patients gave.
    """

    tables: Mapping[str, pd.DataFrame]
    metrics: tuple[Metric, ...]
    covariates: pd.DataFrame | None
    inputs: MapInputs
    null: NullPass

    @property
    def rho(self) -> pd.DataFrame:
        """Features × genes, all of them."""
        return pd.DataFrame(self.null.r, self.inputs.feature_names, self.inputs.gene_names)

    @property
    def contrast(self) -> pd.DataFrame:
        """Features × gene sets: correlation with the contrast of the set; no columns without."""
        r = np.empty((len(self.null.r), 0)) if self.null.sets is None else self.null.sets.contrast
        return pd.DataFrame(r, self.inputs.feature_names, list(self.inputs.set_names))

    def _repr_html_(self) -> str:
        facts = {
            "patients": self.inputs.n,
            "features": len(self.inputs.feature_names),
            "genes": len(self.inputs.gene_names),
            "gene sets": len(self.inputs.set_names),
            "covariates, columns": self.inputs.basis.shape[1],
        }
        return card("Radiogenomic map", facts, self.tables["map_summary"])


def associate(
    features: pd.DataFrame,
    genes: pd.DataFrame,
    *,
    gene_sets: Mapping[str, Sequence[str]] | None = None,
    covariates: pd.DataFrame | None = None,
    volume: str | pd.Series[float] | None = None,
    strata: pd.Series[str] | None = None,
    settings: MapSettings | None = None,
) -> RadiogenomicMap:
    """Hold every image feature against every gene and gene set, with permuted patients beside.

    What is computed, and when it misleads, stands at the head of this module.

    Parameters
    ----------
    features, genes
        Patients × columns, the same patients in one order.
    gene_sets, covariates
        Name → symbols; patients × numbers or categories, taken out of both sides. One that is
        called volume and is another than that is called ``volume (covariate)``.
    volume, strata
        Tumour volume, as numbers or the name of the feature that holds it, taken out as well;
        patients are permuted within these only, which p and rates do not know: name them as a
        covariate too.
    settings
        See :class:`MapSettings`.

    Raises
    ------
    AlignmentError, DataError, UnknownNameError
        Patients differ or are too few, no column or gene set is left, a covariate is missing or
        explained by others, or there is no such feature to hold the volume.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes = pd.DataFrame(rng.normal(size=(60, 40))).rename(columns="G{}".format)
    >>> features = pd.DataFrame({"entropy": genes["G0"] + 0.5 * rng.normal(size=60)})
    >>> found = associate(features, genes, settings=MapSettings(permutations=99))
    >>> found.tables["links"].loc[:0, ["feature", "gene", "p_family"]]
       feature gene  p_family
    0  entropy   G0      0.01
    """
    chosen = settings or MapSettings()
    size = None if volume is None else volume_column(features, volume)
    beside = _beside(covariates, size)
    inputs = map_inputs(
        features,
        genes,
        gene_sets=gene_sets or {},
        covariates=beside,
        method=chosen.method,
        limits=chosen.limits,
        fewest=chosen.fewest,
    )
    null = _null(inputs, chosen, strata, features.index)
    tables = _tables(inputs, null, chosen, features=features, volume=size)
    metrics = _metrics(inputs, tables, chosen)
    return RadiogenomicMap(tables, metrics, beside, inputs, null)


def _null(
    inputs: MapInputs, settings: MapSettings, strata: pd.Series[str] | None, patients: pd.Index
) -> NullPass:
    if strata is not None:
        require_same_patients(strata.index, patients, what="strata and features")
    rng = np.random.default_rng(settings.seed)
    orders = draw_permutations(inputs.n, settings.permutations, rng, blocks=strata)
    return null_pass(
        inputs.features,
        inputs.genes,
        orders=orders,
        sets=inputs.sets,
        basis=inputs.basis,
        weight=settings.weight,
        threads=settings.threads,
    )


def _beside(
    covariates: pd.DataFrame | None, volume: pd.Series[float] | None
) -> pd.DataFrame | None:
    if volume is None:
        return covariates
    own = volume.rename(VOLUME).to_frame()
    if covariates is None:
        return own
    if VOLUME in covariates and covariates[VOLUME].rank().equals(volume.rank()):
        # The volume itself, which counts once.
        return covariates.drop(columns=VOLUME).join(own)
    return not_called_volume(covariates).join(own)


def _tables(
    inputs: MapInputs,
    null: NullPass,
    settings: MapSettings,
    *,
    features: pd.DataFrame,
    volume: pd.Series[float] | None,
) -> dict[str, pd.DataFrame]:
    kept = settings.kept._replace(alpha=settings.alpha)
    links = link_table(inputs, null, kept=kept, level=settings.level)
    tables = {
        "links": links,
        "gene_links": gene_table(inputs, null),
        "left_out": inputs.left_out,
        "vanished": vanished_table(inputs, null, alpha=settings.alpha),
    }
    if null.sets is not None:
        tables["set_links"] = set_link_table(
            inputs, null.sets, null.r, kept=kept, level=settings.level
        )
        tables["pathway_links"] = pathway_table(inputs, null.sets)
    tables["feature_links"] = _features(inputs, null, features, volume)
    tables["map_null"] = _null_table(null)
    tables["map_summary"] = _summary(inputs, null, tables, settings.alpha)
    return {name: table for name, table in tables.items() if len(table)}


def _features(
    inputs: MapInputs, null: NullPass, features: pd.DataFrame, volume: pd.Series[float] | None
) -> pd.DataFrame:
    """Strongest gene and set of each feature, and how much of the feature is volume."""
    table = feature_table(inputs, null)
    if null.sets is not None:
        strength = np.abs(null.sets.contrast)
        best, own = strength.argmax(axis=1), np.arange(len(strength))
        largest = null.sets.contrast_by_feature
        found = pd.DataFrame(
            {
                "feature": inputs.feature_names,
                "set": np.array(inputs.set_names, dtype=object)[best],
                "contrast_rho": null.sets.contrast[own, best],
                "p_contrast_feature": family_p_each(strength[own, best], largest, own),
            }
        )
        table = table.merge(found, on="feature", how="left")
    if volume is not None:
        known = features[list(inputs.feature_names)].to_numpy(dtype=float)
        rho = pd.Series(spearman(known, volume.to_numpy()).rho, inputs.feature_names)
        table["volume_rho"] = table["feature"].map(rho)
        table["volume_confounded"] = table["volume_rho"].abs() >= CONFOUNDED
    return table


def _null_table(null: NullPass) -> pd.DataFrame:
    """Largest statistic of each deal, kind by kind."""
    kinds = {GENES: null.largest_by_feature}
    if null.sets is not None:
        kinds |= {
            RUNNING_SUMS: null.sets.largest_by_feature,
            CONTRASTS: null.sets.contrast_by_feature,
        }
    return pd.concat(
        [
            pd.DataFrame({"kind": kind, "deal": np.arange(len(each)), "value": each.max(axis=1)})
            for kind, each in kinds.items()
        ],
        ignore_index=True,
    )


def _summary(
    inputs: MapInputs, null: NullPass, tables: Mapping[str, pd.DataFrame], alpha: float
) -> pd.DataFrame:
    """One row a kind of link: how many were tested and found, the strongest, and its chance.

    ``p_map`` counts the kinds too: it is the family-wise p times their number (Bonferroni).
    """
    many, links = len(inputs.feature_names), tables["links"]
    kinds = [(GENES, null.r, links["fdr"], links["p_family"], len(inputs.gene_names))]
    if null.sets is not None:
        found, count = tables["set_links"], len(inputs.set_names)
        kinds += [
            (RUNNING_SUMS, null.sets.nes, found["fdr"], found["p_family"], count),
            (
                CONTRASTS,
                null.sets.contrast,
                found["fdr_contrast"],
                found["p_contrast_family"],
                count,
            ),
        ]
    maxima = tables["map_null"].groupby("kind")["value"]
    rows = []
    for kind, values, rate, family, targets in kinds:
        largest = maxima.get_group(kind).to_numpy(dtype=np.float32)
        strongest = float(np.abs(values).max())
        p = float(family_p(np.array([strongest]), largest)[0])
        rows.append(
            {
                "kind": kind,
                "tested": many * targets,
                "found": int((rate <= alpha).sum()),
                "found_family": int((family <= alpha).sum()),
                "strongest": strongest,
                "chance": float(largest.mean()),
                "chance_low": float(np.quantile(largest, 0.025)),
                "chance_high": float(np.quantile(largest, 0.975)),
                "p_family": p,
                "p_map": min(1.0, len(kinds) * p),
                "features": many,
                "targets": targets,
                "n": inputs.n,
                "permutations": len(largest),
            }
        )
    return pd.DataFrame(rows)


def _metrics(
    inputs: MapInputs, tables: Mapping[str, pd.DataFrame], settings: MapSettings
) -> tuple[Metric, ...]:
    names = {
        GENES: "strongest_link",
        CONTRASTS: "strongest_set_link",
        RUNNING_SUMS: "strongest_nes",
    }
    found = []
    for row in tables["map_summary"].itertuples():
        low = high = np.array([np.nan])
        if row.kind != RUNNING_SUMS:
            low, high = correlation_interval(
                [row.strongest], inputs.freedom, level=settings.level, method=inputs.method
            )
        found.append(
            Metric(
                names[row.kind],
                row.strongest,
                float(low[0]),
                float(high[0]),
                chance=row.chance,
                n=inputs.n,
                split=SPLIT,
                p_permutation=row.p_map,
            )
        )
    return tuple(found)
