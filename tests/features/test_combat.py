from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.features import combat
from radiogenomics.features.combat import ComBat

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "features"
BOTH = ("@age", "@stage")
# Case of combat.R: input, settings.
CASES = {
    "parametric": ("full", {}),
    "parametric covariates": ("full", {"covariates": BOTH}),
    "non-parametric": ("full", {"parametric": False}),
    "non-parametric covariates": ("full", {"parametric": False, "covariates": BOTH}),
    "mean only": ("full", {"mean_only": True, "covariates": BOTH}),
    "non-parametric mean only": ("full", {"mean_only": True, "parametric": False}),
    "reference": ("full", {"reference": "B", "covariates": BOTH}),
    "non-parametric reference": ("full", {"reference": "C", "parametric": False}),
    "single": ("full", {"mean_only": True}),
    "flat": ("flat", {"covariates": BOTH}),
    "gaps": ("gaps", {"covariates": BOTH}),
    "gaps non-parametric": ("gaps", {"parametric": False}),
    "gaps reference": ("gaps", {"reference": "A", "covariates": BOTH}),
}


def patients(case: str, *, site: str = "site", covariates: bool = True) -> pd.DataFrame:
    table = pd.read_csv(REFERENCE / "combat_input.csv")
    table = table[table["case"] == case].set_index("patient")
    facts = {"@site": table[site], "@age": table["age"], "@stage": table["stage"]}
    kept = facts if covariates else {"@site": facts["@site"]}
    return table.loc[:, "f1":].assign(**kept)


def simulated(rng: np.random.Generator, n: int = 60, p: int = 15) -> pd.DataFrame:
    """Three sites that shift and stretch; features with an effect of age."""
    site = np.arange(n) % 3
    age = rng.normal(60, 9, n)
    X = rng.normal(size=(n, p)) * rng.uniform(0.5, 2, (3, p))[site] + 0.03 * age[:, None]
    X += rng.normal(0, 1, (3, p))[site] + 10 * np.arange(p)
    table = pd.DataFrame(X, columns=[f"f{i}" for i in range(p)])
    return table.assign(**{"@site": np.array(list("ABC"))[site], "@age": age})


@pytest.mark.parametrize("case", CASES)
def test_training_patients_agree_with_sva(case):
    name, settings = CASES[case]
    site = "single" if case == "single" else "site"
    table = patients(name, site=site, covariates="covariates" in settings)
    expected = pd.read_csv(REFERENCE / "combat.csv")
    expected = expected[expected["case"] == case].loc[:, "f1":].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RadiogenomicsWarning)  # the flat case has its own test
        found = ComBat(**settings).fit(table).transform(table)
    # Standard deviations within sites are about 2, so this is relative to the corrections too.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "settings",
    [{}, {"parametric": False}, {"mean_only": True}, {"reference": "B"}, {"shrink": False}],
    ids=str,
)
def test_patients_one_by_one_are_as_together(rng, settings):
    table = simulated(rng)
    model = ComBat(covariates=("@age",), **settings).fit(table)
    alone = [model.transform(table.iloc[[i]])[0] for i in range(len(table))]
    np.testing.assert_allclose(alone, model.transform(table), rtol=1e-13)


def test_new_patient_follows_the_formula(rng):
    table, new = simulated(rng), simulated(rng).iloc[[7]]
    model = ComBat(covariates=("@age",)).fit(table)
    site = {"A": 0, "B": 1, "C": 2}[new["@site"].iloc[0]]
    age = (new["@age"].iloc[0] - table["@age"].mean()) / table["@age"].std(ddof=0)
    expected = model.grand_mean_ + age * model.covariate_effects_[0]
    spread = np.sqrt(model.pooled_variance_)
    z = (new.filter(like="f").to_numpy()[0] - expected) / spread
    gamma, delta = model.gamma_star_[site], model.delta_star_[site]
    adjusted = (z - gamma) / np.sqrt(delta) * spread + expected
    np.testing.assert_allclose(model.transform(new)[0], adjusted, rtol=1e-12)


def test_hand_calculation_without_shrinkage():
    table = pd.DataFrame({"@site": list("AAABBB"), "f": [1.0, 2, 3, 11, 12, 13]})
    model = ComBat(shrink=False).fit(table)
    # Mean 7; pooled variance 4/6; shift ±5 of that; site variance 1, that is 1.5 times pooled.
    assert model.grand_mean_ == pytest.approx(7)
    assert model.pooled_variance_ == pytest.approx(2 / 3)
    assert model.gamma_star_.ravel() == pytest.approx([-5 / np.sqrt(2 / 3), 5 / np.sqrt(2 / 3)])
    assert model.delta_star_.ravel() == pytest.approx([1.5, 1.5])
    new = pd.DataFrame({"@site": ["B"], "f": [14.0]})
    assert model.transform(new)[0, 0] == pytest.approx(7 + 2 / np.sqrt(1.5))


def test_new_patients_of_many_end_up_alike(rng):
    p = 8
    shift, stretch = rng.normal(0, 2, (2, p)), rng.uniform(0.5, 2, (2, p))

    def draw(n):
        site = np.arange(n) % 2
        X = shift[site] + stretch[site] * rng.normal(size=(n, p))
        return pd.DataFrame(X, columns=list("abcdefgh")).assign(**{"@site": site}), site

    train, _ = draw(4000)
    new, site = draw(4000)
    found = ComBat().fit(train).transform(new)
    first, second = found[site == 0], found[site == 1]
    # Four standard errors of a difference of means, and of a log ratio of deviations.
    assert np.abs(first.mean(axis=0) - second.mean(axis=0)).max() < 4 * found.std() * np.sqrt(2e-3)
    ratio = np.log(first.std(axis=0) / second.std(axis=0))
    assert np.abs(ratio).max() < 4 * np.sqrt(1e-3)


def test_outcome_is_not_used(rng):
    table = simulated(rng)
    first = ComBat(covariates=("@age",)).fit(table, np.arange(60) % 2).transform(table)
    second = ComBat(covariates=("@age",)).fit(table).transform(table)
    assert np.array_equal(first, second)


def test_transform_changes_nothing_that_was_learnt(rng):
    table = simulated(rng)
    model = ComBat(covariates=("@age",), unseen="pooled").fit(table)
    before = {name: np.copy(value) for name, value in vars(model).items() if name.endswith("_")}
    with pytest.warns(RadiogenomicsWarning):
        model.transform(table.assign(**{"@site": "new"}))
    for name, value in before.items():
        assert np.array_equal(value, getattr(model, name)), name


def test_coding_of_covariates_does_not_matter():
    table = patients("full")
    renamed = table.assign(
        **{
            "@stage": table["@stage"].map({"I": "z", "II": "a", "III": "m"}).astype("category"),
            "@age": 1e4 + table["@age"] / 12,
        }
    )
    first = ComBat(covariates=BOTH).fit(table).transform(table)
    second = ComBat(covariates=BOTH[::-1]).fit(renamed).transform(renamed)
    np.testing.assert_allclose(second, first, rtol=0, atol=1e-9)


def test_categorical_sites_are_as_text():
    table = patients("full", covariates=False)
    coded = table.assign(**{"@site": table["@site"].astype("category")})
    first = ComBat().fit(table).transform(table)
    assert np.array_equal(ComBat().fit(coded).transform(coded), first)


def test_kept_covariate_keeps_its_effect():
    rng = np.random.default_rng(5)
    n, p = 600, 20
    old = rng.random(n) < np.array([0.2, 0.8])[np.arange(n) % 2]
    X = rng.normal(size=(n, p)) + np.array([0, 3.0])[np.arange(n) % 2][:, None] + 2.0 * old[:, None]
    table = pd.DataFrame(X).add_prefix("f").assign(**{"@site": np.arange(n) % 2, "@old": old})
    kept = ComBat(covariates=("@old",)).fit(table).transform(table)
    lost = ComBat().fit(table.drop(columns="@old")).transform(table.drop(columns="@old"))
    effect = [(v[old].mean() - v[~old].mean()) for v in (kept, lost)]
    assert effect[0] == pytest.approx(2, abs=0.1)
    assert effect[1] < 1.5


def test_reference_site_stays_as_it_is():
    table = patients("full")
    found = ComBat(covariates=BOTH, reference="B").fit(table).transform(table)
    stays = (table["@site"] == "B").to_numpy()
    assert np.array_equal(found[stays], table.loc[stays].filter(like="f").to_numpy())


def test_unseen_site_is_refused_with_names_and_counts(rng):
    table = simulated(rng)
    model = ComBat(covariates=("@age",)).fit(table)
    new = table.assign(**{"@site": ["D", "D", "E"] + ["A"] * 57})
    with pytest.raises(DataError, match=r"D \(2 patients\), E \(1 patients\) of unseen sites"):
        model.transform(new)


def test_unseen_site_pooled_is_left_unadjusted(rng):
    table = simulated(rng)
    model = ComBat(covariates=("@age",), unseen="pooled").fit(table)
    new = table.copy()
    new.iloc[:2, new.columns.get_loc("@site")] = "D"
    new.iloc[0, new.columns.get_loc("@age")] = np.nan
    with pytest.warns(RadiogenomicsWarning, match=r"D \(2 patients\) of unseen sites are left"):
        found = model.transform(new)
    assert np.array_equal(found[:2], table.filter(like="f").to_numpy()[:2])
    assert np.array_equal(found[2:], model.transform(table)[2:])


def test_nonparametric_likelihoods_do_not_underflow(rng):
    # exp(-sum of 2000 squares / 2) is zero in double precision, for all features at once.
    table = simulated(rng, n=6000, p=6)
    found = ComBat(parametric=False).fit(table.drop(columns="@age"))
    assert np.isfinite(found.gamma_star_).all()


def test_constant_within_a_site_is_left_and_said():
    table = patients("flat", covariates=False).assign(everywhere=3.0)
    with pytest.warns(RadiogenomicsWarning, match="1 of 13 features vary but are left unadjusted"):
        model = ComBat().fit(table)
    assert np.flatnonzero(~model.adjusted_).tolist() == [3, 12]
    found = model.transform(table)
    assert np.array_equal(found[:, 3], table["f4"])
    assert np.array_equal(found[:, 12], table["everywhere"])
    without = table.drop(columns=["f4", "everywhere"])
    others = ComBat().fit(without).transform(without)
    np.testing.assert_allclose(found[:, model.adjusted_], others, rtol=1e-13)


def test_missing_in_a_whole_site_is_left_and_said(rng):
    table = simulated(rng).drop(columns="@age")
    table.loc[table["@site"] == "B", "f2"] = np.nan
    with pytest.warns(RadiogenomicsWarning, match="too few"):
        model = ComBat().fit(table)
    assert np.flatnonzero(~model.adjusted_).tolist() == [2]
    found = model.transform(table)
    assert np.array_equal(found[:, 2], table["f2"], equal_nan=True)
    assert np.isfinite(np.delete(found, 2, axis=1)).all()


def test_feature_that_a_covariate_explains_fully_is_left(rng):
    table = simulated(rng).assign(f3=lambda t: 2 * t["@age"] - 5)
    with pytest.warns(RadiogenomicsWarning, match="1 of 15"):
        model = ComBat(covariates=("@age",)).fit(table)
    assert np.array_equal(model.transform(table)[:, 3], table["f3"])


def test_nothing_to_adjust_is_no_error():
    table = pd.DataFrame({"@site": list("AABB"), "f": 1.0, "g": 2.0})
    assert np.array_equal(ComBat().fit(table).transform(table), [[1.0, 2.0]] * 4)


def test_empirical_bayes_on_one_feature_is_refused():
    table = pd.DataFrame({"@site": list("AABB"), "f": 1.0, "g": [1.0, 2, 5, 7]})
    with pytest.raises(DataError, match="found 1 of 2. Use shrink=False"):
        ComBat().fit(table)
    with pytest.raises(DataError, match="found 1 .n_features=2"):
        ComBat().fit(table[["@site", "g"]])
    assert ComBat(shrink=False).fit(table).adjusted_.tolist() == [False, True]


def test_arrays_name_columns_by_position():
    table = patients("full")
    columns = ["f1", "@site", *[f"f{i}" for i in range(2, 13)], "@age", "@stage"]
    array = table[columns].to_numpy(dtype=object)
    found = ComBat(batch=1, covariates=(13, 14)).fit(array)
    expected = ComBat(covariates=BOTH).fit(table).transform(table)
    np.testing.assert_allclose(found.transform(array), expected, rtol=1e-14)
    assert found.get_feature_names_out().tolist() == ["x0", *[f"x{i}" for i in range(2, 13)]]
    numbers = np.column_stack([table["@site"].map({"A": 3, "B": 5, "C": 9}), table["f1"]])
    plain = ComBat(batch=0, shrink=False).fit(numbers)
    assert plain.sites_.tolist() == [3, 5, 9]
    assert ComBat(batch=0, covariates=("@age",)).row_facts == ("@age",)


def test_tables_keep_patients_and_lose_row_facts():
    table = patients("full")
    model = ComBat(covariates=BOTH).set_output(transform="pandas").fit(table)
    found = model.transform(table)
    assert found.index.equals(table.index)
    assert list(found.columns) == [f"f{i}" for i in range(1, 13)]
    assert list(model.get_feature_names_out()) == list(found.columns)
    assert model.row_facts == ("@site", "@age", "@stage")
    assert model.sites_.tolist() == ["A", "B", "C"]


def test_inside_a_cross_validation(rng):
    table = simulated(rng, n=90)
    table["f0"] += 3 * (np.arange(90) % 2)
    steps = make_pipeline(ComBat(covariates=("@age",)), StandardScaler(), LogisticRegression())
    scores = cross_val_score(
        steps, table, np.arange(90) % 2, scoring="roc_auc", error_score="raise"
    )
    assert scores.mean() > 0.7
    assert clone(steps).get_params()["combat__covariates"] == ("@age",)


def test_left_over_row_fact_fails_loudly():
    with pytest.raises(SchemaError, match="row fact.*@age, @stage"):
        ComBat().fit(patients("full"))


@pytest.mark.parametrize(
    ("change", "settings", "error", "match"),
    [
        ({"@site": "A"}, {}, DataError, "at least 2 sites.*A \\(29 patients"),
        ({"@site": ["S"] + ["A", "B"] * 14}, {}, DataError, "S \\(1 patients\\).*mean_only"),
        ({"@site": [None] + ["A", "B"] * 14}, {}, DataError, "1 of 29 without"),
        ({"@age": 50.0}, {"covariates": BOTH}, DataError, "@age.*differ"),
        ({"@age": [np.nan] + [1.0, 2.0] * 14}, {"covariates": BOTH}, DataError, "@age.*1 without"),
        ({"@stage": [None] + ["I", "II"] * 14}, {"covariates": BOTH}, DataError, "1 missing"),
        ({}, {"reference": "Z"}, UnknownNameError, "reference site 'Z'"),
        ({}, {"unseen": "guess"}, UnknownNameError, "guess"),
        ({}, {"tolerance": 0}, DataError, "tolerance"),
        ({}, {"batch": "@scanner"}, SchemaError, "one column @scanner in X; found 0"),
        ({}, {"batch": "f1"}, DataError, "marked with @"),
        ({}, {"batch": 40}, SchemaError, "position"),
        ({}, {"covariates": "@age"}, DataError, "sequence of columns"),
        ({}, {"covariates": ("@site",)}, DataError, "once as site or covariate"),
    ],
)
def test_bad_input_says_what_is_expected(change, settings, error, match):
    table = patients("full", covariates=bool(settings.get("covariates")) or bool(change))
    table = table.assign(**change)
    if not settings.get("covariates"):
        table = table.drop(columns=list(BOTH), errors="ignore")
    with pytest.raises(error, match=match):
        ComBat(**settings).fit(table)


def test_covariate_that_is_the_site_is_refused():
    table = patients("full")
    table["@stage"] = table["@site"].map({"A": "I", "B": "II", "C": "II"})
    with pytest.raises(DataError, match="covariate @stage.*told from the sites in 29"):
        ComBat(covariates=BOTH).fit(table)
    twice = patients("full").assign(**{"@months": lambda t: 12 * t["@age"]})
    with pytest.raises(DataError, match="@months.*covariates before it"):
        ComBat(covariates=(*BOTH, "@months")).fit(twice)


def test_new_patient_needs_known_levels_and_numbers():
    table = patients("full")
    model = ComBat(covariates=BOTH).fit(table)
    with pytest.raises(DataError, match=r"training levels \(I, II, III\); found IV \(29 pat"):
        model.transform(table.assign(**{"@stage": "IV"}))
    with pytest.raises(DataError, match="@age: expected a finite number"):
        model.transform(table.assign(**{"@age": "old"}))
    with pytest.raises(SchemaError, match="row fact"):
        ComBat(batch="@site").fit(
            table.rename(columns={"@site": "@where"}).assign(**{"@site": "A"})
        )


def test_reference_of_one_patient_is_refused():
    table = patients("full", site="single", covariates=False)
    with pytest.raises(DataError, match="S \\(1 patients\\)"):
        ComBat(reference="S", mean_only=True).fit(table)


def test_more_columns_than_patients_is_refused(rng):
    table = pd.DataFrame(rng.normal(size=(4, 3))).add_prefix("f")
    table = table.assign(**{"@site": list("AABB"), "@a": [1.0, 2, 3, 5], "@b": [1.0, 4, 9, 2]})
    with pytest.raises(DataError, match="more training patients than sites and covariate columns"):
        ComBat(covariates=("@a", "@b")).fit(table)


class HalvesAsSites(ComBat):
    """ComBat for arrays that carry no site: the first column, cut at its training median, is it.

    The checks of scikit-learn hand in plain numbers, of which every patient's differ, so each would
    be a site of its own. Cutting a column keeps the number of columns that the checks count.
    """

    def __init__(self, batch: int = 0, mean_only: bool = True) -> None:
        super().__init__(batch=batch, mean_only=mean_only, shrink=False)

    def _read(self, X, *, reset):
        table = combat.as_table(X)
        first = np.asarray(table.iloc[:, 0], dtype=float)
        if reset:
            self.cut_ = np.nanmedian(first)
        site = np.where(first > self.cut_, 1.0, 0.0)
        if table is X:
            return super()._read(table.assign(**{table.columns[0]: site}), reset=reset)
        array = table.to_numpy(copy=True)
        array[:, 0] = site
        return super()._read(array, reset=reset)


@parametrize_with_checks([HalvesAsSites()])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)
