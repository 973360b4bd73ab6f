from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.simulate.planted_traits import (
    SEEN_IN,
    TRAITS,
    PlantedDesign,
    PlantedTraits,
    TraitShares,
    planted_traits,
)

SIZE = 12_000


@pytest.fixture(scope="module")
def scores() -> np.ndarray:
    return np.random.default_rng(1).standard_normal(SIZE)


@pytest.fixture(scope="module")
def traits(scores: np.ndarray) -> PlantedTraits:
    return planted_traits(scores, range(SIZE), seed=3, design=PlantedDesign())


def multiple_correlation(predictors: np.ndarray, target: np.ndarray) -> float:
    design = np.c_[np.ones(len(target)), predictors]
    fitted = design @ np.linalg.lstsq(design, target, rcond=None)[0]
    return float(np.corrcoef(fitted, target)[0, 1])


@pytest.mark.parametrize(
    "phases",
    [("arterial", "portal", "delayed"), ("arterial",), ("portal",), ("delayed",), ("T2",)],
    ids="-".join,
)
def test_phases_show_as_much_of_the_score_as_the_formula_says(
    phases: tuple[str, ...], scores: np.ndarray, traits: PlantedTraits
) -> None:
    seen = [trait for trait, shown in SEEN_IN if set(shown) & set(phases)]
    found = multiple_correlation(traits.latents[seen].to_numpy(), scores)
    # The standard error of a correlation near 0.85 is 0.0025 here.
    assert found == pytest.approx(PlantedDesign().visible(phases), abs=0.01)


@pytest.mark.parametrize("correlation", [0.5, 0.9, 0.95])
def test_reading_is_the_best_linear_one(correlation: float, scores: np.ndarray) -> None:
    design = PlantedDesign(correlation)
    drawn = planted_traits(scores, range(SIZE), seed=4, design=design)
    reading = design.reading(drawn.latents)
    assert np.corrcoef(reading, scores)[0, 1] == pytest.approx(correlation, abs=0.02)
    assert reading.std() == pytest.approx(1.0, abs=0.03)
    best = multiple_correlation(drawn.latents.to_numpy(), scores)
    assert best - np.corrcoef(reading, scores)[0, 1] < 0.002
    late = np.corrcoef(design.reading(drawn.latents, ("delayed",)), scores)[0, 1]
    assert late == pytest.approx(design.visible(("delayed",)), abs=0.03)


def test_shares_say_what_each_trait_says_alone(scores: np.ndarray) -> None:
    shares = TraitShares(
        rim=0.5, heterogeneity=0.3, washout=0.2, size=0.0, irregularity=0.0, satellites=0.0
    )
    drawn = planted_traits(scores, range(SIZE), seed=5, design=PlantedDesign(0.8, shares))
    signal = 0.64 / 0.36 * np.array([0.5, 0.3, 0.2, 0.0, 0.0, 0.0])
    found = drawn.latents.corrwith(pd.Series(scores, drawn.latents.index))
    np.testing.assert_allclose(found, np.sqrt(signal / (1 + signal)), atol=0.035)


def test_traits_are_standardised_and_looks_plausible(traits: PlantedTraits) -> None:
    latents, looks = traits.latents, traits.looks
    assert tuple(latents) == TRAITS
    assert latents.mean().abs().max() < 0.04
    assert (latents.std() - 1).abs().max() < 0.03
    assert looks["diameter_mm"].between(15, 200).all()
    assert looks["diameter_mm"].median() == pytest.approx(56, rel=0.02)
    shares = looks["satellites"].value_counts(normalize=True).sort_index()
    np.testing.assert_allclose(shares, [0.45, 0.25, 0.15, 0.10, 0.05], atol=0.02)
    nuisance = looks[["enhancement_hu", "texture_mm", "core_fraction", "liver_hu"]]
    between = pd.concat([latents, nuisance], axis=1).corr().loc[list(TRAITS), list(nuisance)]
    assert between.abs().to_numpy().max() < 4.5 / np.sqrt(SIZE)


def test_growth_lies_with_what_it_is_said_to(traits: PlantedTraits) -> None:
    growth = traits.looks["growth"]
    own = traits.latents[["heterogeneity", "irregularity"]].to_numpy()
    assert 0.6 < multiple_correlation(own, growth.to_numpy()) < 0.9
    assert growth.mean() == pytest.approx(0.1, abs=0.01)


def test_without_effect_the_score_changes_nothing_at_all(scores: np.ndarray) -> None:
    design = PlantedDesign(effect=False)
    one, other = (
        planted_traits(values, range(50), seed=3, design=design)
        for values in (scores[:50], -5 * scores[:50])
    )
    pd.testing.assert_frame_equal(one.looks, other.looks)
    assert design.visible(("arterial",)) == 0.0


def test_a_patient_does_not_depend_on_who_else_is_asked_for() -> None:
    design = PlantedDesign()
    all_of_them = planted_traits([0.3, -1.0, 2.0], ["a", "b", "c"], seed=1, design=design)
    alone = planted_traits([2.0], ["c"], seed=1, design=design)
    pd.testing.assert_frame_equal(all_of_them.looks.loc[["c"]], alone.looks)
    elsewhere = planted_traits([2.0], ["c"], seed=2, design=design)
    assert (elsewhere.looks != alone.looks).drop(columns="satellites").all(axis=None)


def test_every_trait_rises_with_the_score() -> None:
    design = PlantedDesign()
    levels = [planted_traits([s], ["a"], seed=1, design=design).looks for s in (-2.0, 0.0, 2.0)]
    told = ["rim_hu", "heterogeneity_hu", "washout_hu", "diameter_mm", "irregularity"]
    table = pd.concat(levels)
    assert (np.diff(table[told], axis=0) > 0).all()
    rest = ["enhancement_hu", "texture_mm", "core_fraction", "liver_hu"]
    assert (table[rest].nunique() == 1).all()
    many = planted_traits([-2.0] * 200 + [2.0] * 200, range(400), seed=1, design=design).looks
    low, high = many["satellites"][:200], many["satellites"][200:]
    assert stats.mannwhitneyu(low, high, alternative="less").pvalue < 1e-10


def test_design_travels_to_other_processes() -> None:
    design = PlantedDesign(0.8, TraitShares(rim=0.35, satellites=0.0), effect=False)
    assert pickle.loads(pickle.dumps(design)) == design


@pytest.mark.parametrize("correlation", [0.0, 1.0, -0.2, float("nan")])
def test_impossible_correlation_is_refused(correlation: float) -> None:
    with pytest.raises(DataError, match="between 0 and 1"):
        PlantedDesign(correlation)


def test_phases_that_show_nothing_read_nothing() -> None:
    design = PlantedDesign(shares=TraitShares(1.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    drawn = planted_traits([1.0, 2.0], ["a", "b"], seed=1, design=design)
    assert design.visible(("portal",)) == 0.0
    assert (design.reading(drawn.latents, ("portal",)) == 0.0).all()


def test_impossible_shares_are_refused() -> None:
    with pytest.raises(DataError, match="sum to 1"):
        PlantedDesign(shares=TraitShares(rim=0.5))
    with pytest.raises(DataError, match="from 0"):
        PlantedDesign(shares=TraitShares(rim=0.6, washout=-0.1))
    with pytest.raises(DataError, match="count of satellites"):
        PlantedDesign(0.97, TraitShares(0.0, 0.0, 0.0, 0.0, 0.0, 1.0))


def test_unknown_phase_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="'portal'"):
        PlantedDesign().visible(("portl",))


@pytest.mark.parametrize(
    ("scores", "found"), [([0.0, np.nan], "1 of them"), ([0.0], "found 1"), ([np.inf, 0.0], "1 of")]
)
def test_scores_that_are_none_are_refused(scores: list[float], found: str) -> None:
    with pytest.raises(DataError, match=found):
        planted_traits(scores, ["a", "b"], seed=1, design=PlantedDesign())
