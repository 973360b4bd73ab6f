"""What a positive map says against itself: sites left in, controls that find as much."""

from __future__ import annotations

import numpy as np
import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.evaluation.association import MapSettings, SetLimits, associate, control_table
from radiogenomics.study.association.map_words import conclusion
from radiogenomics.study.association.side_covariates import untaken_sites, with_strata

N = 60


def sites_of(patients: pd.Index) -> pd.Series:
    return pd.Series(np.where(np.arange(len(patients)) % 3 == 0, "A", "B"), patients)


def test_sites_that_are_left_in_are_named() -> None:
    patients = pd.Index([f"P{at}" for at in range(N)])
    cohort = Cohort(id="two", patients=pd.DataFrame({"site": sites_of(patients)}, patients))
    assert "2 sites" in untaken_sites(cohort, None, patients)
    assert untaken_sites(cohort, pd.DataFrame({"site": sites_of(patients)}), patients) == ""
    alone = patients[sites_of(patients) == "A"]
    assert untaken_sites(cohort, None, alone) == "" == untaken_sites(None, None, patients)


def test_what_is_permuted_within_is_taken_out_once() -> None:
    patients = pd.Index([f"P{at}" for at in range(N)])
    strata = sites_of(patients)
    purity = pd.DataFrame({"purity": np.linspace(0, 1, N)}, patients)
    assert list(with_strata(purity, strata, "site")) == ["purity", "site"]
    assert list(with_strata(None, strata, "site")) == ["site"]
    words = purity.assign(**{"site=A": (strata == "A").astype(float)})
    assert list(with_strata(words, strata, "site")) == ["purity", "site=A"]
    assert with_strata(purity, strata.where(strata == "", "A"), "site") is purity


def test_a_verdict_says_what_its_controls_say(rng) -> None:
    """All genes follow one cause that the feature follows too: any set of them is linked to it."""
    cause = rng.normal(size=(N, 1))
    loading = np.repeat([2.0, 2.0, 0.0, 0.0], 60)
    genes = pd.DataFrame(cause * loading + rng.normal(size=(N, 240))).rename(columns="G{}".format)
    features = pd.DataFrame(cause + 0.5 * rng.normal(size=(N, 6))).rename(columns="F{}".format)
    sets = {"first": [f"G{at}" for at in range(20)], "second": [f"G{at}" for at in range(20, 40)]}
    few = MapSettings(permutations=99, limits=SetLimits(5))
    found = associate(features, genes, gene_sets=sets, settings=few)
    controls = control_table(found, genes, gene_sets=sets, settings=few)
    tables = {**found.tables, "controls": controls}
    verdict = conclusion(tables, caution="patients come from 2 sites")
    assert "beyond chance" in verdict and "But patients come from 2 sites. " in verdict
    assert "Random gene sets of like correlation are found as often" in verdict
    silent = conclusion(found.tables)
    assert "beyond chance" in silent and "sites" not in silent and "Random" not in silent
