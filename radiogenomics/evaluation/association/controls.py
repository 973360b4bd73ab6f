"""Negative controls of a map: what is found where nothing can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.evaluation.association.links import Tail, family_p, found_by_rate, tail_of
from radiogenomics.evaluation.association.map import (
    CONTRASTS,
    GENES,
    MapSettings,
    RadiogenomicMap,
    associate,
)
from radiogenomics.stats.association.gene_pool import gene_pool
from radiogenomics.stats.association.matched_sets import matched_random_sets, random_sets
from radiogenomics.stats.association.set_contrast import set_contrasts
from radiogenomics.stats.association.units import correlation_p, unit_beside
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.permutation import permutations as draw_permutations

AS_IS = "as they are"
SHUFFLED = "patients of the features shuffled"
RANDOM = "random gene sets of the same size"
MATCHED = "random gene sets of like correlation"
# Shuffles of the patients, and draws of all gene sets.
DRAWS = 5
# A set is replaced where there are so many times as many genes.
_ROOM = 4

Places = NDArray[np.intp]
Draw = Callable[[Places], Places]


def control_table(
    found: RadiogenomicMap,
    genes: pd.DataFrame,
    *,
    settings: MapSettings,
    gene_sets: Mapping[str, Sequence[str]] | None = None,
    covariates: pd.DataFrame | None = None,
    strata: pd.Series[str] | None = None,
    controls: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Count links again where features, patients or gene sets say nothing.

    Shuffled patients show what is found when there is nothing to find, on average of five shuffles;
    random gene sets whether a pathway does better than as many genes, or as many that go together
    as much; features of shuffled voxels whether a link needs texture, or only size, shape and
    histogram. A control that finds as much as the map takes the map's meaning away.

    Parameters
    ----------
    found
        The map.
    genes, gene_sets, covariates, strata, settings
        What it was drawn from.
    controls
        Name → patients × features of shuffled voxels, say; patients are those of the map, in its
        order. Each is a map of its own, at the cost of the first.

    Returns
    -------
    DataFrame
        ``control, links_found`` (false discovery rate up to alpha), ``links_family`` (family-wise),
        ``strongest_rho, p_family``; of gene sets by their mean correlation ``sets_found,
        sets_family, strongest_set_rho, p_set_family``; ``draws``: rows of several are means, and
        have no p.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes = pd.DataFrame(rng.normal(size=(40, 30))).rename(columns="G{}".format)
    >>> features = pd.DataFrame(rng.normal(size=(40, 8))).rename(columns="F{}".format)
    >>> few = MapSettings(permutations=99)
    >>> table = control_table(associate(features, genes, settings=few), genes, settings=few)
    >>> table[["control", "links_found", "draws"]]
                                 control  links_found  draws
    0                        as they are          0.0      1
    1  patients of the features shuffled          0.0      5
    """
    rng = np.random.default_rng([settings.seed, 5])
    rows = [_as_is(found), _mean(SHUFFLED, _shuffled(found, settings.alpha, rng, strata))]
    rows += _of_random_sets(found, settings.alpha, rng)
    for name, table in (controls or {}).items():
        other = associate(
            table, genes, gene_sets=gene_sets, covariates=covariates, strata=strata,
            settings=settings,
        )  # fmt: skip
        rows.append(_as_is(other) | {"control": name})
    return pd.DataFrame(rows)


def _as_is(found: RadiogenomicMap) -> dict[str, object]:
    columns = ["found", "found_family", "strongest", "p_family"]
    table = found.tables["map_summary"].set_index("kind")[columns].astype(float)
    row: dict[str, object] = {"control": AS_IS}
    *counted, row["p_family"] = table.loc[GENES]
    row |= _of_genes(*counted)
    if CONTRASTS in table.index:
        *counted, row["p_set_family"] = table.loc[CONTRASTS]
        row |= _of_sets(*counted)
    return row | {"draws": 1}


def _mean(name: str, draws: Sequence[Mapping[str, float]]) -> dict[str, object]:
    means = {str(key): float(mean) for key, mean in pd.DataFrame(draws).mean().items()}
    return {"control": name, **means, "draws": len(draws)}


def _shuffled(
    found: RadiogenomicMap, alpha: float, rng: np.random.Generator, strata: pd.Series[str] | None
) -> list[dict[str, float]]:
    inputs, null = found.inputs, found.null
    contrasts = set_contrasts(inputs.genes, inputs.sets).units if inputs.sets else None
    rows = []
    for order in draw_permutations(inputs.n, DRAWS, rng, blocks=strata):
        dealt = unit_beside(inputs.features[order], inputs.basis)
        r, largest = dealt.T @ inputs.genes, null.largest_by_feature
        row = _of_genes(*_counted(r, largest, inputs.freedom, alpha, tail=tail_of(inputs)))
        if null.sets is not None and contrasts is not None:
            largest = null.sets.contrast_by_feature
            row |= _of_sets(*_counted(dealt.T @ contrasts, largest, inputs.freedom, alpha))
        rows.append(row)
    return rows


def _of_random_sets(
    found: RadiogenomicMap, alpha: float, rng: np.random.Generator
) -> list[dict[str, object]]:
    """Rows of the controls that replace every gene set, where other genes suffice for it."""
    total = len(found.inputs.gene_names)
    sets = [each for each in found.inputs.sets if 2 <= len(each) <= total // _ROOM]
    if not sets:
        return []
    largest = max(map(len, sets))
    pool = gene_pool(found.inputs.genes, rng=rng, reach=min(4 * largest, total))
    ways: dict[str, Draw] = {
        RANDOM: lambda members: random_sets(members, genes=total, count=1, rng=rng)[0],
        MATCHED: lambda members: matched_random_sets(pool, members, count=1, rng=rng).sets[0],
    }
    return [_mean(name, _drawn(found, alpha, sets, draw)) for name, draw in ways.items()]


def _drawn(
    found: RadiogenomicMap, alpha: float, sets: Sequence[Places], draw: Draw
) -> list[dict[str, float]]:
    inputs, null = found.inputs, found.null.sets
    if null is None:
        return []
    rows = []
    for _ in range(DRAWS):
        contrasts = set_contrasts(inputs.genes, [draw(members) for members in sets])
        r = inputs.features.T @ contrasts.units
        rows.append(_of_sets(*_counted(r, null.contrast_by_feature, inputs.freedom, alpha)))
    return rows


def _counted(
    r: Floats,
    largest: NDArray[np.float32],
    freedom: int,
    alpha: float,
    *,
    tail: Tail = correlation_p,
) -> tuple[float, float, float]:
    """Found by rate, found family-wise, and the strongest."""
    strength = np.abs(r)
    by_rate = len(found_by_rate(strength, freedom, alpha, tail=tail)[0])
    maxima = largest.max(axis=1)
    # Only those as strong as the weakest deal that parts found from not found are looked at.
    likely = strength[strength >= np.quantile(maxima, 1 - alpha) * 0.99]
    family = int((family_p(likely, maxima) <= alpha).sum())
    return float(by_rate), float(family), float(strength.max())


def _of_genes(found: float, family: float, strongest: float) -> dict[str, float]:
    return {"links_found": found, "links_family": family, "strongest_rho": strongest}


def _of_sets(found: float, family: float, strongest: float) -> dict[str, float]:
    return {"sets_found": found, "sets_family": family, "strongest_set_rho": strongest}
