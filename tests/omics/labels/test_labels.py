import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.signature import Signature
from radiogenomics.omics.gene_sets.hypoxia import HYPOXIA_BUFFA
from radiogenomics.omics.gene_sets.immune import CYTOTOXIC_DAVOLI
from radiogenomics.omics.gene_sets.tls import CHEMOKINES_12
from radiogenomics.omics.labels import (
    ImmuneHypoxiaLabel,
    MaximallySelectedCutoff,
    MyeloidResponseLabel,
    NetsLabel,
    ScoreLabel,
    TimeTypeLabel,
    TLSLabel,
    tls_by_grade,
)
from radiogenomics.omics.scoring.mean_z import MeanZ
from radiogenomics.omics.scoring.singscore import Singscore

GENES = sorted({*CHEMOKINES_12, *HYPOXIA_BUFFA, *CYTOTOXIC_DAVOLI, "CD8A", "CD274"})
EXTRA = [f"G{i}" for i in range(40)]


@pytest.fixture
def cohort(rng) -> pd.DataFrame:
    """Expression with an immune and a hypoxia programme; the immune one lowers the hazard."""
    n = 120
    immune, hypoxia = rng.normal(size=(2, n))
    names = GENES + EXTRA + ["ITGAM", "SIGLEC1"]
    values = pd.DataFrame(6 + 0.5 * rng.normal(size=(n, len(names))), columns=names)
    values[list({*CHEMOKINES_12, *CYTOTOXIC_DAVOLI, "CD8A"})] += immune[:, None]
    values[list(HYPOXIA_BUFFA)] += hypoxia[:, None]
    values.index = [f"P{i}" for i in range(n)]
    time = rng.exponential(20 * np.exp(immune))
    return values.assign(time=time.round(2), event=(rng.random(n) < 0.8).astype(float))


RULES = {
    "tls": TLSLabel(),
    "maximally selected": ScoreLabel(MeanZ(CHEMOKINES_12), MaximallySelectedCutoff()),
    "immune hypoxia": ImmuneHypoxiaLabel(),
    "immune hypoxia, kmeans": ImmuneHypoxiaLabel(method="kmeans"),
    "immune hypoxia, mixture": ImmuneHypoxiaLabel(method="gaussian_mixture"),
    "time": TimeTypeLabel(),
    "myeloid": MyeloidResponseLabel(),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.filterwarnings("ignore:immune_hypoxia. expected a cluster")
def test_a_patient_s_label_does_not_depend_on_the_company(cohort, name):
    rule = clone(RULES[name]).fit(cohort[:80])
    together = rule.transform(cohort[80:])
    alone = [rule.transform(cohort.iloc[[i]])[0] for i in range(80, 120)]
    assert together.tolist() == alone
    assert 0 < together.sum() < 40
    assert rule.label_set(cohort[80:]).classes.notna().all()


def test_tls_is_the_first_component_cut_at_the_median(cohort):
    rule = TLSLabel().fit(cohort)
    genes = cohort[list(CHEMOKINES_12)]
    standard = ((genes - genes.mean()) / genes.std()).to_numpy()
    _, _, directions = np.linalg.svd(standard, full_matrices=False)
    expected = standard @ (directions[0] * np.sign(directions[0].sum()))
    np.testing.assert_allclose(rule.scores(cohort), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(rule.transform(cohort), expected > np.median(expected))


def test_patients_without_outcome_are_labelled_too(cohort):
    unknown = cohort.copy()
    unknown.loc[unknown.index[:30], ["time", "event"]] = np.nan
    rule = ScoreLabel(MeanZ(CHEMOKINES_12), MaximallySelectedCutoff()).fit(unknown)
    assert rule.transform(unknown).shape == (120,)
    standard = rule.scores(unknown)
    by_hand = MaximallySelectedCutoff().fit(
        pd.Series(standard[30:]),
        np.array(
            list(zip(cohort["event"][30:] == 1, cohort["time"][30:], strict=True)),
            dtype=[("event", bool), ("time", float)],
        ),
    )
    assert rule.cutoff_rule_.cutoff_ == by_hand.cutoff_


def test_a_locked_label_scores_one_patient_without_a_cohort(cohort):
    rule = TLSLabel().fit(cohort[:80])
    locked = Signature.from_json(rule.lock(unit="log2(TPM+1)").to_json())
    assert locked.locked
    for i in (80, 100):
        one = cohort.iloc[[i]]
        assert locked.score(one).iloc[0] == pytest.approx(rule.scores(one)[0], rel=1e-12)
        assert int(locked.classify(locked.score(one)).iloc[0]) == rule.transform(one)[0]


def test_ranks_cannot_be_locked_in_constants(cohort):
    rule = ScoreLabel(Singscore(CHEMOKINES_12)).fit(cohort)
    with pytest.raises(DataError, match="weighted sum"):
        rule.lock(unit="TPM")


def test_four_classes_are_the_four_corners(cohort):
    rule = ImmuneHypoxiaLabel().fit(cohort)
    scores, classes = rule.score_table(cohort), rule.classes(cohort)
    high = scores.gt(scores.median())
    expected = high.apply(
        lambda row: ("HI" if row.iloc[0] else "LI") + ("H" if row.iloc[1] else "N"), axis=1
    )
    assert (classes == expected).all()
    assert set(classes) == {"HIN", "HIH", "LIN", "LIH"}


@pytest.mark.parametrize("method", ["kmeans", "gaussian_mixture"])
def test_planted_clusters_get_the_right_names(rng, method):
    truth = rng.integers(0, 2, size=(160, 2))
    values = pd.DataFrame(rng.normal(0, 0.3, size=(160, len(GENES))), columns=GENES)
    values[list(CYTOTOXIC_DAVOLI)] += 4 * truth[:, [0]]
    values[list(HYPOXIA_BUFFA)] += 4 * truth[:, [1]]
    found = ImmuneHypoxiaLabel(method=method).fit(values).classes(values)
    expected = [("HI" if a else "LI") + ("H" if b else "N") for a, b in truth]
    assert found.tolist() == expected


def test_one_cloud_is_warned_of():
    rng = np.random.default_rng(3)
    names = [*CYTOTOXIC_DAVOLI, *HYPOXIA_BUFFA]
    one = rng.normal(size=(100, 1))
    values = pd.DataFrame(one + 0.01 * rng.normal(size=(100, len(names))), columns=names)
    with pytest.warns(RadiogenomicsWarning, match="one cloud"):
        ImmuneHypoxiaLabel(method="kmeans").fit(values)


def test_time_types_by_hand():
    values = pd.DataFrame(
        {"CD8A": [9.0, 1.0, 1.0, 9.0], "CD274": [9.0, 1.0, 9.0, 1.0]}, index=list("abcd")
    )
    rule = TimeTypeLabel().fit(values)
    assert rule.classes(values).tolist() == ["I", "II", "III", "IV"]
    assert rule.transform(values).tolist() == [1, 0, 0, 0]


def test_genes_that_are_not_public_must_be_supplied(cohort):
    with pytest.raises(StudyError, match="nets"):
        NetsLabel().fit(cohort)
    mine = {"nets": GeneSet("nets", ("G1", "G2"), weights=(1.0, -2.0))}
    rule = NetsLabel(mine).fit(cohort)
    g = cohort[["G1", "G2"]]
    z = (g - g.mean()) / g.std()
    np.testing.assert_allclose(rule.scores(cohort), (z["G1"] - 2 * z["G2"]) / 3, rtol=1e-9)


def test_grades_of_the_pathologist():
    grade = pd.Series(["none", "aggregate", "primary follicle", "secondary follicle"])
    assert tls_by_grade(grade).tolist() == [False, True, True, True]
    assert tls_by_grade(grade, least="secondary follicle").tolist() == [False, False, False, True]
    with pytest.raises(UnknownNameError, match="FL3"):
        tls_by_grade(pd.Series(["FL3"]))
    with pytest.raises(OutcomeError, match="1 without"):
        tls_by_grade(pd.Series(["none", None]))


def test_bad_input_is_named(cohort):
    with pytest.raises(SchemaError, match="no time or event"):
        ScoreLabel(MeanZ(CHEMOKINES_12), MaximallySelectedCutoff()).fit(
            cohort.drop(columns=["time", "event"])
        )
    with pytest.raises(DataError, match="found 2"):
        ScoreLabel(MeanZ([CHEMOKINES_12, HYPOXIA_BUFFA])).fit(cohort)
    with pytest.raises(UnknownNameError, match="HIX"):
        ImmuneHypoxiaLabel(positive="HIX").fit(cohort)
    with pytest.raises(UnknownNameError, match="ward"):
        ImmuneHypoxiaLabel(method="ward").fit(cohort)
