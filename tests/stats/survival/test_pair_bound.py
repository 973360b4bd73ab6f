from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from radiogenomics.core.errors import DataError
from radiogenomics.stats.survival import pair_bound
from radiogenomics.stats.survival.cox import fit_cox_batch
from radiogenomics.stats.survival.pair_bound import rank_pair_by_likelihood, rank_pair_by_score

GENES = [f"g{i}" for i in range(1, 13)]
PAIRS = np.array(list(combinations(range(12), 2)))


@pytest.fixture(scope="module")
def cohorts(table):
    return table("subset_search_input")


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_score_statistics_are_those_of_r_coxph(ties, cohorts, values, monkeypatch):
    monkeypatch.setattr(pair_bound, "_BLOCK", 5)
    reference = values("subset_search", f"size_2_{ties}", "score_by_position")
    for place in (0, 17, 65):
        found = rank_pair_by_score(
            cohorts[GENES],
            cohorts["time"],
            cohorts["event"],
            pair=tuple(PAIRS[place]),
            strata=cohorts["cohort"],
            ties=ties,
            keep=66,
        )
        assert found.value == pytest.approx(reference[place], rel=1e-9)
        assert found.rank == 1 + (reference > reference[place]).sum()
        assert found.pairs == 66
        assert found.share == pytest.approx(found.rank / 66)
    order = np.argsort(-reference)
    assert_allclose(found.best_values, reference[order], rtol=1e-9)
    assert_array_equal(np.sort(found.best, axis=1), PAIRS[order])


@pytest.mark.parametrize("effect", [0.0, 0.4])
def test_both_ranks_match_fitting_every_pair(effect, rng):
    x = rng.normal(size=(120, 40))
    time = np.ceil(20 * rng.exponential(np.exp(-effect * (x[:, 3] + x[:, 7]))))
    event = rng.random(120) < 0.7
    pairs = np.array(list(combinations(range(40), 2)))
    fit = fit_cox_batch(x[:, pairs].transpose(1, 0, 2), time, event)
    for place in (5, 400, int(np.argmax(fit.log_likelihood))):
        pair = tuple(pairs[place])
        found = rank_pair_by_likelihood(x, time, event, pair=pair)
        assert found.rank == 1 + (fit.log_likelihood > fit.log_likelihood[place]).sum()
        assert found.value == pytest.approx(fit.log_likelihood[place], rel=1e-12)
        assert found.pairs == len(pairs)
        scored = rank_pair_by_score(x, time, event, pair=pair)
        assert scored.rank == 1 + (fit.score_statistic > fit.score_statistic[place]).sum()
        assert scored.value == pytest.approx(fit.score_statistic[place], rel=1e-9)


def test_repeated_and_constant_candidates_count_for_what_they_are(cohorts):
    x = cohorts[GENES].to_numpy()
    more = np.column_stack([x, -3 * x[:, 1] + 5, np.ones(len(x))])
    found = rank_pair_by_score(
        more, cohorts["time"], cohorts["event"], pair=(1, 12), strata=cohorts["cohort"], keep=0
    )
    alone = fit_cox_batch(
        x.T[:, :, None], cohorts["time"], cohorts["event"], strata=cohorts["cohort"]
    )
    assert found.value == pytest.approx(alone.score_statistic[1], rel=1e-9)
    assert found.pairs == 13 * 12 / 2
    assert found.best.shape == (0, 2)
    with pytest.raises(DataError, match="does not vary"):
        rank_pair_by_score(more, cohorts["time"], cohorts["event"], pair=(1, 13))
    with pytest.raises(DataError, match="repeat one another"):
        rank_pair_by_likelihood(more, cohorts["time"], cohorts["event"], pair=(1, 12))


@pytest.mark.parametrize("pair", [(1, 1), (-1, 2), (3, 12)])
def test_a_pair_that_is_none_is_refused(pair, cohorts):
    with pytest.raises(DataError, match="two different positions from 0 to 11"):
        rank_pair_by_score(cohorts[GENES], cohorts["time"], cohorts["event"], pair=pair)
    with pytest.raises(DataError, match="keep of at least 0"):
        rank_pair_by_score(cohorts[GENES], cohorts["time"], cohorts["event"], pair=(0, 1), keep=-1)


@pytest.mark.parametrize("rank", [rank_pair_by_score, rank_pair_by_likelihood])
def test_a_rule_of_ties_that_is_none_is_refused(rank, cohorts):
    with pytest.raises(DataError, match="'efron' or 'breslow'; found 'efon'"):
        rank(cohorts[GENES], cohorts["time"], cohorts["event"], pair=(0, 1), ties="efon")


@pytest.mark.real
def test_kpna2_and_smg5_among_all_pairs_of_tcga_lihc(data_root, rng):
    name = "omics/hcc_key_genes/tcga_lihc_fpkm_log2_proteincoding_179samples.parquet"
    x = pd.read_parquet(data_root / name).T
    x = x[x.index.str[13:15] == "01"].set_axis(x.index[x.index.str[13:15] == "01"].str[:12])
    clinical = pd.read_csv(
        data_root / "omics/lihc/clinical_tcga_lihc.csv.gz", index_col="bcr_patient_barcode"
    )
    known = clinical.loc[x.index, ["OS.time", "OS"]].apply(pd.to_numeric, errors="coerce")
    known = known[known["OS.time"] > 0]
    values, time, event = x.loc[known.index].to_numpy(), known["OS.time"], known["OS"]
    pair = (x.columns.get_loc("KPNA2"), x.columns.get_loc("SMG5"))
    found = rank_pair_by_score(values, time, event, pair=pair)
    fit = fit_cox_batch(values[None, :, list(pair)], time, event)
    assert found.value == pytest.approx(fit.score_statistic[0], rel=1e-9)
    assert found.pairs > 180e6
    # The share of pairs above, by a sample of pairs each fitted on its own.
    alone = fit_cox_batch(values.T[:, :, None], time, event).score_statistic
    some = rng.choice(np.flatnonzero(np.isfinite(alone)), size=(20_000, 2))
    some = some[some[:, 0] != some[:, 1]]
    drawn = fit_cox_batch(values[:, some].transpose(1, 0, 2), time, event).score_statistic
    share = np.mean(np.where(np.isnan(drawn), alone[some].max(axis=1), drawn) > found.value)
    error = np.sqrt(found.share * (1 - found.share) / len(drawn))
    assert abs(share - found.share) < 4 * error
