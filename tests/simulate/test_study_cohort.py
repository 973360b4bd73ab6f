"""A simulated study as tables and files: what a learner finds in them is what the truth says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from lifelines import CoxPHFitter, KaplanMeierFitter
from pingouin import intraclass_corr
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score

from radiogenomics.core.errors import DataError, MissingFileError, UnknownNameError
from radiogenomics.core.provenance import hash_file
from radiogenomics.io import audit, load_cohort
from radiogenomics.simulate.study_cohort import (
    StudyCohort,
    draw_study_cohort,
    write_study_cohort,
)
from radiogenomics.simulate.study_design import (
    BeyondLabel,
    CategoryLabel,
    EndpointDesign,
    ImageDesign,
    LabelDesign,
    MarkerLabel,
    PartDesign,
    RivalDesign,
    StudyDesign,
    TimeLabel,
    WordLabel,
)
from radiogenomics.simulate.study_truth import calibrate, discrimination_of

MANY = 6_000
NAMES = tuple(f"original_glcm_{number}" for number in range(60))
WORDS = WordLabel("itls", ("present",), ("absent",))
CATEGORIES = CategoryLabel("response", ("CR", "PR"), ("SD", "PD"))


def design(label: LabelDesign = WORDS, size: int = MANY, **changes) -> StudyDesign:
    count = None if isinstance(label, BeyondLabel | TimeLabel) else size * 2 // 5
    base = StudyDesign(
        study="toy",
        parts={
            "training": PartDesign(size, count, ("A",)),
            "external": PartDesign(size, count, ("B", "C")),
        },
        images={
            "pre": ImageDesign(NAMES, reread=min(400, size // 3)),
            "post": ImageDesign(NAMES, "pre", later=True),
        },
        clinical={"clinic": ("age", "afp", "sex", "albumin")},
        label=label,
        better=True,
        target=0.85,
        shares={"pre": 0.3, "post": 0.5, "clinic": 0.2},
        informative=4,
        rivals={
            "mRECIST": RivalDesign(
                "response", 0.65, (("PD",), ("CR", "PR", "SD")), "positive", True
            )
        }
        if label is not CATEGORIES
        else {},
        endpoints={
            "OS": EndpointDesign(
                12.0, None if isinstance(label, BeyondLabel | TimeLabel) else 2.0, 0.2
            ),
            "PFS": EndpointDesign(6.0, 2.0, 0.15),
            "CSS": EndpointDesign(12.0, 2.0, 0.3),
        },
        facts={"regimen": "words", "weeks": "weeks", "spread": "number"},
    )
    return replace(base, **changes)


def table(cohort: StudyCohort, blocks: tuple[str, ...]) -> np.ndarray:
    frames = [
        cohort.facts[["age", "afp", "sex", "albumin"]] if name == "clinic" else cohort.blocks[name]
        for name in blocks
    ]
    joined = pd.concat([frame.reset_index(drop=True) for frame in frames], axis=1)
    return joined.fillna(joined.mean()).to_numpy(dtype=float)


def learnt_auc(asked: StudyDesign, blocks: tuple[str, ...]) -> float:
    """AUC in one part of scikit-learn's linear discriminant learnt from the tables of another."""
    train, test = (draw_study_cohort(asked, part, seed=3) for part in asked.parts)
    model = LinearDiscriminantAnalysis().fit(table(train, blocks), train.truth["class"])
    return roc_auc_score(test.truth["class"], model.decision_function(table(test, blocks)))


def test_a_linear_learner_of_many_patients_finds_the_stated_auc():
    asked = design()
    truth = calibrate(asked)
    for blocks in (("pre",), ("pre", "post"), ("pre", "post", "clinic")):
        stated = discrimination_of(asked, truth, blocks=blocks)
        assert learnt_auc(asked, blocks) == pytest.approx(stated, abs=0.015)


def test_a_linear_learner_finds_the_stated_auc_of_survival():
    asked = design(BeyondLabel("OS", None))
    train, test = (draw_study_cohort(asked, part, seed=3) for part in asked.parts)
    everything = ("pre", "post", "clinic")
    model = LinearRegression().fit(
        table(train, everything), np.log(train.outcomes["OS"]["months"].to_numpy())
    )
    found = roc_auc_score(test.truth["class"], model.predict(table(test, everything)))
    assert found == pytest.approx(0.85, abs=0.015)


def test_follow_up_adds_and_without_change_it_adds_nothing():
    moving, still = design(), design(change=False)
    gain = learnt_auc(moving, ("pre", "post")) - learnt_auc(moving, ("pre",))
    assert gain > 0.08
    gain = learnt_auc(still, ("pre", "post")) - learnt_auc(still, ("pre",))
    # Twice as many variables to learn from cost a little.
    assert -0.02 < gain < 0.005
    # What the later scan alone shows is the baseline's, seen again with noise.
    assert 0.6 < learnt_auc(still, ("post",)) < learnt_auc(still, ("pre",))


def test_without_effect_nothing_is_learnt():
    null = design(effect=False)
    assert learnt_auc(null, ("pre", "post", "clinic")) == pytest.approx(0.5, abs=0.025)


def test_the_true_score_is_in_the_features():
    """It is computed from the values, not copied from what they were drawn for."""
    asked = design()
    cohort = draw_study_cohort(asked, "training", seed=1)
    found = roc_auc_score(cohort.truth["class"], cohort.truth["score"])
    assert found == pytest.approx(0.85, abs=0.015)
    fitted = LinearRegression().fit(table(cohort, ("pre",)), cohort.truth["score_pre"])
    # Missing values keep it from 1.
    assert fitted.score(table(cohort, ("pre",)), cohort.truth["score_pre"]) > 0.97


def test_time_points_and_neighbours_correlate_and_readings_agree():
    cohort = draw_study_cohort(design(), "training", seed=1)
    pre, post = cohort.blocks["pre"], cohort.blocks["post"]
    varying = [name for name in NAMES if pre[name].std() > 0]
    assert len(varying) == len(NAMES) - 1
    between = [pre[name].corr(post[name], method="spearman") for name in varying]
    assert 0.7 < np.median(between) < 0.85
    within = pre[varying].corr(method="spearman").abs().to_numpy()
    assert 0.1 < np.nanmean(within > 0.5) < 0.3
    assert pre.isna().to_numpy().mean() == pytest.approx(0.005, abs=0.001)
    again = cohort.blocks["pre_reading_2"]
    assert len(again) == 400
    assert set(cohort.blocks) == {"pre", "post", "pre_reading_2"}
    found = [_icc(pre.loc[again.index, name], again[name]) for name in varying[::3]]
    assert 0.0 < np.mean(np.array(found) < 0.75) < 0.5
    assert np.median(found) > 0.85


def _icc(first: pd.Series, second: pd.Series) -> float:
    both = pd.concat([first, second], keys=["a", "b"], names=["reader"]).rename("value")
    long = both.rank().reset_index()
    found = intraclass_corr(long, "patient_id", "reader", "value", nan_policy="omit")
    return float(found.set_index("Type")["ICC"].filter(regex="A,1|ICC2$").iloc[0])


def test_sites_shift_features_and_say_nothing_of_the_label():
    cohort = draw_study_cohort(design(), "external", seed=1)
    sites = cohort.facts["site"]
    assert set(sites) == {"B", "C"}
    apart = cohort.blocks["pre"].groupby(sites).mean().diff().iloc[1].abs()
    spread = cohort.blocks["pre"].std()
    assert (apart / spread > 0.1).mean() > 0.5
    share = cohort.truth["class"].groupby(sites).mean()
    assert abs(share.diff().iloc[1]) < 0.05


def test_survival_has_its_median_hazard_ratio_and_censoring():
    cohort = draw_study_cohort(design(), "training", seed=2)
    for name in ("OS", "PFS"):
        seen = cohort.outcomes[name]
        kept = KaplanMeierFitter().fit(seen["months"], seen["event"])
        median = 12.0 if name == "OS" else 6.0
        assert kept.median_survival_time_ == pytest.approx(median, rel=0.05)
        share = 0.2 if name == "OS" else 0.15
        assert 1 - seen["event"].mean() == pytest.approx(share, abs=0.03)
        fitted = CoxPHFitter().fit(seen.assign(worse=1 - cohort.truth["class"]), "months", "event")
        assert np.exp(fitted.params_["worse"]) == pytest.approx(2.0, rel=0.1)
    both = cohort.outcomes["OS"].join(cohort.outcomes["PFS"], rsuffix="_pfs")
    died = both[both["event"]]
    assert (died["months_pfs"] <= died["months"]).mean() > 0.99
    disease = cohort.outcomes["CSS"]
    assert (disease["months"] == cohort.outcomes["OS"]["months"]).all()
    assert not (disease["event"] & ~cohort.outcomes["OS"]["event"]).any()


@pytest.mark.parametrize(
    "label",
    [
        WORDS,
        CATEGORIES,
        BeyondLabel("OS", None),
        TimeLabel("OS"),
        MarkerLabel("rna", ("TRAF3IP3", "HIF1A"), (None, None), ("HIF1A",)),
        MarkerLabel(None, ("cd8", "pd_l1"), (None, 1.0)),
        MarkerLabel(None, ("density",), (None,)),
    ],
    ids=["words", "categories", "beyond", "time", "assay", "facts", "one_fact"],
)
def test_files_of_each_label_are_read_and_say_the_class(label, tmp_path: Path):
    asked = design(label, size=60)
    if isinstance(label, MarkerLabel) and len(label.markers) == 1:
        asked = replace(asked, parts={n: replace(p, positives=30) for n, p in asked.parts.items()})
    drawn = draw_study_cohort(asked, "training", seed=5)
    manifest = write_study_cohort(drawn, tmp_path / "training")
    assert audit(manifest, data_root=manifest.parent).ok
    cohort = load_cohort(manifest, data_root=manifest.parent)
    assert (cohort.id, cohort.simulated) == ("toy-training", True)
    positive = drawn.truth["class"].astype(bool)
    if isinstance(label, CategoryLabel):
        said = cohort.response("response").grouped(("CR", "PR"))
    elif isinstance(label, WordLabel):
        said = cohort.patients["itls"].eq("present")
    elif isinstance(label, MarkerLabel):
        source = cohort.assay("rna").values if label.assay else cohort.patients
        said = pd.Series(True, index=cohort.patient_ids)
        for marker, cutoff in zip(label.markers, label.cutoffs, strict=True):
            high = source[marker] > (source[marker].median() if cutoff is None else cutoff)
            said &= ~high if marker in label.low else high
    else:
        os = cohort.survival("OS")
        np.testing.assert_allclose(os.time, drawn.outcomes["OS"]["months"])
        said = (
            positive
            if isinstance(label, TimeLabel)
            else (os.time > 12.0) | (~os.event & (os.time <= 12.0) & positive)
        )
    assert said.to_numpy().tolist() == positive.tolist()
    for name, block in drawn.blocks.items():
        read = cohort.assay(name).per_patient()
        np.testing.assert_allclose(read.to_numpy(), block.to_numpy(dtype=float))
        assert list(read.index) == list(block.index)
    facts = cohort.patients
    assert set(facts) >= {"site", "age", "afp", "sex", "albumin", "regimen", "weeks", "spread"}
    assert set(facts["sex"]) | set(facts["spread"]) == {0.0, 1.0}
    assert set(facts["regimen"]) == {"A", "B"}


@pytest.mark.parametrize(
    ("label", "names"),
    [
        (WORDS, {"itls"}),
        (CATEGORIES, {"response"}),
        (BeyondLabel("OS", None), {"OS", "CSS"}),
        (TimeLabel("PFS"), {"PFS"}),
        (MarkerLabel("rna", ("TRAF3IP3", "HIF1A"), (None, None)), {"rna"}),
        (MarkerLabel(None, ("cd8", "pd_l1"), (None, 1.0)), {"cd8", "pd_l1"}),
    ],
    ids=["words", "categories", "beyond", "time", "assay", "facts"],
)
def test_a_part_without_a_label_lacks_it_and_nothing_else(label, names, tmp_path: Path):
    rivals = {} if isinstance(label, CategoryLabel | TimeLabel) else design().rivals
    endpoints = dict(design().endpoints)
    if isinstance(label, BeyondLabel | TimeLabel):
        endpoints[label.endpoint] = replace(endpoints[label.endpoint], hazard_ratio=None)
    parts = design(size=60).parts
    if isinstance(label, BeyondLabel | TimeLabel):
        parts = {name: replace(part, positives=None) for name, part in parts.items()}
    known = design(size=60, endpoints={}, rivals=rivals)
    known = replace(known, label=label, parts=parts, endpoints=endpoints)
    hidden = {**parts, "external": replace(parts["external"], labelled=False)}
    whole, part = (
        draw_study_cohort(asked, "external", seed=5)
        for asked in (known, replace(known, parts=hidden))
    )
    lost = set()
    for table in ("facts", "markers", "outcomes", "responses", "orders"):
        before, after = getattr(whole, table), getattr(part, table)
        lost |= set(before) - set(after)
        for name in after:
            assert str(before[name]) == str(after[name])
    assert lost == names
    pd.testing.assert_frame_equal(whole.truth, part.truth)
    for name, block in whole.blocks.items():
        pd.testing.assert_frame_equal(block, part.blocks[name])
    manifest = write_study_cohort(part, tmp_path / "external")
    assert audit(manifest, data_root=manifest.parent).ok
    read = load_cohort(manifest, data_root=manifest.parent)
    assert not names & {*read.patients, *read.outcomes, *read.assays}


def test_disease_deaths_take_their_share_of_all_deaths_and_no_other_number():
    asked = design(size=4_000)
    other = {**asked.endpoints, "CSS": EndpointDesign(None, None, 0.3)}
    assert asked.made_from("CSS") == "OS"
    drawn = [
        draw_study_cohort(one, "training", seed=4).outcomes
        for one in (asked, replace(asked, endpoints=other))
    ]
    for name in asked.endpoints:
        pd.testing.assert_frame_equal(drawn[0][name], drawn[1][name])
    # 20 % leave before death; of the 80 % a share of 7 / 8 die of the disease.
    assert drawn[1]["CSS"]["event"].mean() == pytest.approx(0.7, abs=0.02)
    alone = replace(asked, endpoints={"CSS": EndpointDesign(9.0, 3.0, 0.2)})
    assert alone.made_from("CSS") is None
    seen = draw_study_cohort(alone, "training", seed=4).outcomes["CSS"]
    kept = KaplanMeierFitter().fit(seen["months"], seen["event"])
    assert kept.median_survival_time_ == pytest.approx(9.0, rel=0.06)


def test_patients_without_follow_up_lack_all_later_blocks():
    asked = design(size=200, without_follow_up=0.25)
    cohort = draw_study_cohort(asked, "training", seed=1)
    assert len(cohort.blocks["pre"]) == 200
    assert 130 < len(cohort.blocks["post"]) < 170
    assert cohort.facts["weeks"].between(6, 10).all()


def test_same_seed_same_files_and_parts_do_not_depend_on_each_other(tmp_path: Path):
    asked = design(size=40)
    one = write_study_cohort(draw_study_cohort(asked, "training", seed=7), tmp_path / "one")
    alone = replace(asked, parts={"training": asked.parts["training"]})
    two = write_study_cohort(draw_study_cohort(alone, "training", seed=7), tmp_path / "two")
    files = sorted(path.name for path in one.parent.iterdir())
    assert files == sorted(path.name for path in two.parent.iterdir())
    for name in files:
        assert hash_file(one.parent / name) == hash_file(two.parent / name)
    other = draw_study_cohort(asked, "training", seed=8)
    assert not other.blocks["pre"].equals(
        draw_study_cohort(asked, "training", seed=7).blocks["pre"]
    )


def test_the_manifest_has_checksums_and_no_truth(tmp_path: Path):
    manifest = write_study_cohort(draw_study_cohort(design(size=40), "training", seed=7), tmp_path)
    text = manifest.read_text("utf-8")
    content = yaml.safe_load(text)
    for entry in (content["patients"], *content["assays"].values()):
        assert hash_file(tmp_path / entry["file"]) == entry["sha256"]
    assert "truth" not in text
    assert (tmp_path / "truth.csv").is_file()
    columns = pd.read_csv(tmp_path / "patients.csv").columns
    assert not {"class", "score"} & set(columns)


def test_folder_is_complete_or_not_there(tmp_path: Path, monkeypatch):
    cohort = draw_study_cohort(design(size=40), "training", seed=7)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "keep.txt").write_text("keep")
    with pytest.raises(DataError, match="new or empty folder"):
        write_study_cohort(cohort, tmp_path / "mine")
    with pytest.raises(MissingFileError, match="nowhere"):
        write_study_cohort(cohort, tmp_path / "nowhere" / "cohort")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("radiogenomics.simulate.study_cohort._outcome_rules", fail)
    with pytest.raises(OSError, match="disk full"):
        write_study_cohort(cohort, tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_rival_that_is_a_clinical_fact_carries_the_share_of_its_block():
    asked = design(
        clinical={"clinic": ("amap",)},
        rivals={"aMAP": RivalDesign("amap", 0.5, rises="negative")},
    )
    cohort = draw_study_cohort(asked, "training", seed=1)
    stated = discrimination_of(asked, calibrate(asked), blocks=("clinic",))
    found = roc_auc_score(cohort.truth["class"], -cohort.facts["amap"])
    # One fact loads 0.8 on the signal, and is drawn given the score: they are the same.
    assert found == pytest.approx(stated, abs=0.02)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"shares": {"pre": 0.5}}, DataError, "sum to 1"),
        ({"shares": {"per": 1.0}}, UnknownNameError, "did you mean 'pre'"),
        ({"target": 1.0}, DataError, "from 0.5 to 0.999"),
        ({"parts": {}}, DataError, "at least one part"),
        ({"parts": {"training": PartDesign(20, None, ("A",))}}, DataError, "number of positives"),
        ({"parts": {"training": PartDesign(20, 20, ("A",))}}, DataError, "both classes"),
        ({"images": {"post": ImageDesign(NAMES, "pre")}}, UnknownNameError, "earlier block"),
        (
            {"images": {"pre": ImageDesign(NAMES), "post": ImageDesign(NAMES[:5], "pre")}},
            DataError,
            "the variables of pre",
        ),
        ({"label": TimeLabel("DFS")}, UnknownNameError, "endpoint of the label"),
        ({"label": WordLabel("sex", ("1",), ("0",))}, DataError, "not the label"),
        ({"label": MarkerLabel(None, ("a", "b"), (None,))}, DataError, "a cut-off for each"),
        ({"endpoints": {"OS": EndpointDesign(12.0, None, 1.0)}}, DataError, "events in OS"),
        (
            {"endpoints": {"OS": EndpointDesign(None, 2.0, 0.1)}},
            DataError,
            "a median above 0 of OS",
        ),
        (
            {
                "label": BeyondLabel("OS", None),
                "endpoints": {"OS": EndpointDesign(12.0, 2.0, 0.1)},
            },
            DataError,
            "no hazard ratio of OS",
        ),
        (
            {"parts": {"training": PartDesign(20, 8, ("A",), labelled=False)}},
            DataError,
            "a label in the first part",
        ),
        ({"rivals": {"r": RivalDesign("r", 0.4)}}, DataError, "an AUC from 0.5"),
        ({"without_follow_up": 1.0}, DataError, "patients with a follow-up"),
    ],
)
def test_designs_that_cannot_be_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        design(**changes)


def test_unknown_part_and_unreachable_positives():
    with pytest.raises(UnknownNameError, match="did you mean 'external'"):
        draw_study_cohort(design(size=40), "extrenal", seed=1)
    asked = design(
        BeyondLabel("OS", 500.0), size=40, parts={"training": PartDesign(40, 30, ("A",))}
    )
    with pytest.raises(DataError, match="months that leave 30 of 40"):
        draw_study_cohort(asked, "training", seed=1)
