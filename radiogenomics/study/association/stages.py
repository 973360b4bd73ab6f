"""What a run adds to the map itself: modules, joint links, controls, activities, explanations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from radiogenomics.core.errors import RadiogenomicsError
from radiogenomics.core.log import get_logger
from radiogenomics.evaluation.association.between_modules import module_links
from radiogenomics.evaluation.association.controls import control_table
from radiogenomics.evaluation.association.inputs import covariate_columns
from radiogenomics.evaluation.association.joint import joint_table
from radiogenomics.evaluation.association.likeness import likeness_table
from radiogenomics.evaluation.association.links import family_p
from radiogenomics.evaluation.association.map import MapSettings, RadiogenomicMap, associate
from radiogenomics.evaluation.association.modules import ModuleKind, Modules, modules_of
from radiogenomics.omics.scoring.activities import ActivityScorer
from radiogenomics.stats.association.units import correlation_p
from radiogenomics.stats.permutation import permutations as draw_permutations
from radiogenomics.study.association.sides import Sides
from radiogenomics.study.findings import Findings, merge

# Deals of the stages whose every deal is a whole analysis.
JOINT_DEALS = 199
FOLDS = 5
FEWEST_IN_FOLD = 4
# Columns below which there are no modules to seek.
FEWEST_COLUMNS = 5
ACTIVITIES = "activities"
# Columns of all targets of one feature: target, value, rate, family-wise p, and p by t.
GENE_COLUMNS = ("gene", "rho", "fdr", "p_family", "p")
SET_COLUMNS = ("set", "contrast_rho", "fdr_contrast", "p_contrast_family", "p_contrast")
Sets = Mapping[str, Sequence[str]]


class Drawn(NamedTuple):
    """A map, and what it was drawn from.

    Attributes
    ----------
    sides : Sides
    gene_sets : Mapping
        Name → symbols.
    settings : MapSettings
    found : RadiogenomicMap
    """

    sides: Sides
    gene_sets: Sets
    settings: MapSettings
    found: RadiogenomicMap

    @property
    def features(self) -> pd.DataFrame:
        """Features that are in the map, as they were given."""
        return self.sides.features[list(self.found.inputs.feature_names)]

    @property
    def genes(self) -> pd.DataFrame:
        """Genes that are in the map, as they were given."""
        return self.sides.genes[list(self.found.inputs.gene_names)]

    @property
    def beside(self) -> pd.DataFrame | None:
        """Covariates as numbers."""
        return numbered(self.covariates)

    @property
    def covariates(self) -> pd.DataFrame | None:
        """Covariates, with the volume where one was named."""
        return self.found.covariates

    def orders(self, count: int, *, stage: int) -> np.ndarray:
        """Deals of a stage of its own; inside the strata."""
        rng = np.random.default_rng([self.settings.seed, stage])
        return draw_permutations(len(self.features), count, rng, blocks=self.sides.strata)


def numbered(covariates: pd.DataFrame | None) -> pd.DataFrame | None:
    """Covariates as columns of numbers, groups as indicators."""
    if covariates is None:
        return None
    values = covariate_columns(covariates, covariates.index, "pearson")
    return pd.DataFrame(values, covariates.index, [f"c{at}" for at in range(values.shape[1])])


def attempted(what: str, stage: Callable[[], Findings]) -> Findings:
    """Run a stage beside the map; what it cannot do is said in a note, and loses no map."""
    try:
        return stage()
    except RadiogenomicsError as error:
        text = str(error)
        return Findings(notes=(("warning", f"{what}: not computed. {text[:1].upper()}{text[1:]}"),))


def whole_features(drawn: Drawn) -> dict[str, pd.DataFrame]:
    """All genes, and all sets, of the feature with the strongest link of either kind.

    The false discovery rate is that of the tables of links, and empty beyond what these keep.
    """
    found, null = drawn.found, drawn.found.null
    tables = {
        "feature_genes": _whole(
            found, found.rho, null.largest_by_feature, links="links", names=GENE_COLUMNS
        )
    }
    if null.sets is not None:
        largest = null.sets.contrast_by_feature
        tables["feature_sets"] = _whole(
            found, found.contrast, largest, links="set_links", names=SET_COLUMNS
        )
    return tables


def _whole(
    found: RadiogenomicMap,
    r: pd.DataFrame,
    largest: np.ndarray,
    *,
    links: str,
    names: tuple[str, str, str, str, str],
) -> pd.DataFrame:
    target, value, rate, family, p = names
    values, known = r.to_numpy(), found.tables[links]
    row = int(np.abs(values).max(axis=1).argmax())
    own = known[known["feature"] == r.index[row]].set_index(target)[rate]
    table = pd.DataFrame({"feature": r.index[row], target: r.columns, value: values[row]})
    table[rate] = table[target].map(own)
    table[family] = family_p(np.abs(values[row]), largest.max(axis=1))
    table[p] = correlation_p(values[row], found.inputs.freedom)
    order = np.argsort(-np.abs(values[row]), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def modules_stage(drawn: Drawn) -> Findings:
    """Modules of either side, found without the other, and what goes with what."""
    get_logger(__name__).info("modules of features and genes")
    method, notes = drawn.settings.method, []
    found: list[Modules] = []
    sides: tuple[tuple[ModuleKind, pd.DataFrame], ...] = (
        ("feature", drawn.features),
        ("gene", drawn.genes),
    )
    for kind, table in sides:
        if table.shape[1] < FEWEST_COLUMNS:
            text = f"Modules: none are sought among {table.shape[1]} {kind}s"
            notes.append(("warning", text))
            continue
        signed = kind == "gene"
        found.append(modules_of(filled(table), kind=kind, signed=signed, method=method))
    found = [each for each in found if each.names]
    if not found:
        return Findings(notes=tuple(notes))
    tables = {"modules": pd.concat([each.table for each in found], ignore_index=True)}
    whole = Findings(tables=tables, notes=tuple(notes))
    if len(found) < 2:
        return whole
    links = attempted("Links of modules", lambda: _module_links(drawn, *found))
    return merge([whole, links])


def _module_links(drawn: Drawn, features: Modules, genes: Modules) -> Findings:
    table = module_links(
        features,
        genes,
        orders=drawn.orders(drawn.settings.permutations, stage=1),
        beside=drawn.beside,
        level=drawn.settings.level,
        method=drawn.settings.method,
    )
    return Findings(tables={"module_links": table})


def joint_stage(drawn: Drawn) -> Findings:
    """Links of both tables as wholes."""
    get_logger(__name__).info("joint links of both tables")
    n, columns = len(drawn.features), min(drawn.features.shape[1], drawn.genes.shape[1])
    # A training part must leave patients to learn from and others to be told apart.
    count = min(FOLDS, max(2, n // FEWEST_IN_FOLD))
    folds = np.random.default_rng([drawn.settings.seed, 2]).permutation(np.arange(n) % count)
    joint = joint_table(
        filled(drawn.features),
        filled(drawn.genes),
        orders=drawn.orders(JOINT_DEALS, stage=3),
        folds=folds,
        beside=drawn.beside,
        components=min(2, columns),
        refits=JOINT_DEALS,
        level=drawn.settings.level,
    )
    return Findings(tables={"joint": joint.table, "joint_weights": joint.weights})


def control_stage(drawn: Drawn, controls: Mapping[str, pd.DataFrame]) -> Findings:
    """The same map of features and sets that have nothing to say."""
    get_logger(__name__).info("negative controls")
    usable, notes = {}, []
    for name, table in controls.items():
        if (table.nunique() > 1).any():
            usable[name] = table
        else:
            text = f"Negative controls: no feature of {name} varies, so that it is left out"
            notes.append(("warning", text))
    table = control_table(
        drawn.found,
        drawn.sides.genes,
        gene_sets=drawn.gene_sets,
        covariates=drawn.covariates,
        strata=drawn.sides.strata,
        settings=drawn.settings,
        controls=usable,
    )
    return Findings(tables={"controls": table}, notes=tuple(notes))


def activity_stage(drawn: Drawn, network: pd.DataFrame) -> Findings:
    """Activities of transcription factors or pathways in place of genes."""
    sources = network["source"].nunique()
    get_logger(__name__).info("activities of %d sources", sources)
    scorer = ActivityScorer(network).fit(filled(drawn.genes))
    scores = scorer.transform(filled(drawn.genes))
    found = associate(
        drawn.features,
        pd.DataFrame(np.asarray(scores), drawn.genes.index, list(scorer.sources_)),
        covariates=drawn.covariates,
        strata=drawn.sides.strata,
        settings=drawn.settings,
    )
    links = found.tables["links"].rename(columns={"gene": "activity", "p_gene": "p_activity"})
    # One kind of link more: asked beside those of the map, whose verdict does not hang on it.
    summary = found.tables["map_summary"].assign(kind=ACTIVITIES)
    kinds = 1 + len(drawn.found.tables["map_summary"])
    summary["p_map"] = np.minimum(1.0, kinds * summary["p_family"])
    text = (
        f"Activities: {len(scorer.sources_)} of {sources} sources have "
        f"{scorer.smallest} targets or more among the genes and are scored"
    )
    return Findings(
        tables={
            "activity_links": links,
            "map_summary": summary,
            "map_null": found.tables["map_null"].assign(kind=ACTIVITIES),
        },
        notes=(("info", text),),
    )


def likeness_stage(drawn: Drawn, explained: str) -> Findings:
    """Features of one table beside the most similar of the others, with the strongest pathway."""
    own = (drawn.sides.sources.reindex(drawn.features.columns) == explained).to_numpy()
    if own.all() or not own.any():
        side = "the other tables" if own.any() else explained
        text = f"Features explained: not computed, as no feature of {side} is in the map"
        return Findings(notes=(("warning", text),))
    deep, others = drawn.features.loc[:, own], drawn.features.loc[:, ~own]
    table = likeness_table(filled(deep), filled(others), method=drawn.settings.method)
    table["source"] = table["similar"].map(drawn.sides.sources)
    best = drawn.found.tables["feature_links"].set_index("feature")
    columns = [c for c in ("gene", "rho", "set", "contrast_rho", "p_contrast_feature") if c in best]
    beside = best[columns].rename(columns={"rho": "gene_rho"})
    return Findings(tables={"likeness": table.join(beside, on="feature")})


def filled(table: pd.DataFrame) -> pd.DataFrame:
    """Put the median for single missing values, as in the map."""
    return table.fillna(table.median())
