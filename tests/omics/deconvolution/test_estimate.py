from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError, DataError, RadiogenomicsWarning, StudyError
from radiogenomics.omics.deconvolution.estimate import EstimateScores, tumour_purity


@pytest.fixture
def rna(rng):
    return pd.DataFrame(
        rng.normal(5, 2, (8, 200)),
        index=[f"P{n}" for n in range(8)],
        columns=[f"g{n}" for n in range(200)],
    )


STROMAL, IMMUNE = [f"g{n}" for n in range(15)], [f"g{n}" for n in range(10, 30)]


def walked(sample: pd.Series, members: list[str]) -> float:
    """The published running sum, on 10,412 places."""
    ranked = sample.rank().sort_values(ascending=False)
    inside = ranked.index.isin(members)
    hits = np.where(inside, ranked**0.25, 0.0)
    steps = np.cumsum(hits / hits.sum()) - np.cumsum(~inside) / (~inside).sum()
    return steps.sum() * 10_412 / len(ranked)


def test_scores_are_the_running_sum(rna):
    found = EstimateScores(STROMAL, IMMUNE).fit_transform(rna)
    wanted = pd.DataFrame(
        {
            "stromal": [walked(s, STROMAL) for _, s in rna.iterrows()],
            "immune": [walked(s, IMMUNE) for _, s in rna.iterrows()],
        },
        index=rna.index,
    )
    wanted["estimate"] = wanted.sum(axis=1)
    np.testing.assert_allclose(found, wanted, rtol=1e-10)
    assert list(found.columns) == list(wanted.columns)


def test_a_sample_is_the_same_alone(rna):
    model = EstimateScores(STROMAL, IMMUNE, purity=True).fit(rna)
    together = model.transform(rna)
    for name in rna.index:
        assert np.array_equal(model.transform(rna.loc[[name]]), together.loc[[name]])
    assert list(together.columns) == model.get_feature_names_out().tolist()


def test_purity_by_hand_and_beyond_its_range():
    assert tumour_purity([0.0]) == pytest.approx(np.cos(0.6049872018), rel=1e-15)
    assert tumour_purity([1000.0]) == pytest.approx(np.cos(0.7517756018), rel=1e-12)
    inside = tumour_purity([-4121.4, 6579.6])
    np.testing.assert_allclose(inside, [1, 0], atol=1e-4)
    scores = pd.Series([0.0, 7000.0, -5000.0], index=["P1", "P2", "P3"])
    with pytest.warns(RadiogenomicsWarning, match=r"found 2 beyond \(P2, P3\)"):
        found = tumour_purity(scores)
    assert np.isnan(found).tolist() == [False, True, True]
    with pytest.raises(DataError, match="1 missing or infinite"):
        tumour_purity([np.nan])


def test_unfilled_sets_and_absent_genes_are_refused(rna):
    with pytest.raises(StudyError, match=r"'estimate_immune'.*ImmuneSignature"):
        EstimateScores(STROMAL, None).fit(rna)
    with pytest.raises(AlignmentError, match="2 of 6 in immune"):
        EstimateScores(STROMAL, ["g1", "g2", *"abcd"]).fit(rna)
    with pytest.raises(DataError, match="one value for all"):
        EstimateScores(STROMAL, IMMUNE).fit(rna).transform(rna * 0 + 1)
