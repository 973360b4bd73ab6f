"""The imaging surrogate in nested cross-validation: select, tune, calibrate, predict."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Agreement, Arrays, Case
from numpy.typing import NDArray

PATIENTS, INFORMATIVE, FOLDS, INNER, KEPT, SEED = 120, 4, 5, 5, 4, 0
GRID = (0.01, 0.1, 1.0, 10.0)


def inputs(items: int) -> Arrays:
    """Independent features, so that passing over near-copies, which only we do, changes nothing."""
    from radiogenomics.evaluation import PatientKFold

    rng = np.random.default_rng(5)
    features = rng.standard_normal((PATIENTS, items))
    score = features[:, :INFORMATIVE].sum(axis=1) + rng.standard_normal(PATIENTS)
    label = (score > np.median(score)).astype(int)
    fold = np.empty(PATIENTS, dtype=int)
    patients = map(str, range(PATIENTS))
    for split in PatientKFold(FOLDS, random_state=SEED).split(patients, label):
        fold[split.test] = split.fold
    return {"features": features, "label": label, "fold": fold}


def ours(given: Arrays, count: int) -> Arrays:
    """One inner cross-validation serves tuning and calibration."""
    import pandas as pd
    from sklearn.preprocessing import StandardScaler

    from radiogenomics.evaluation import PatientKFold, cross_validate, pooled_auc
    from radiogenomics.features import DropConstant, RankSelector
    from radiogenomics.models import surrogate

    steps = [
        ("drop_constant", DropConstant()),
        ("rank_selector", RankSelector(k=KEPT)),
        ("standardise", StandardScaler()),
    ]
    patients = pd.Index([str(i) for i in range(PATIENTS)])
    features = pd.DataFrame(given["features"][:, :count], index=patients).add_prefix("f")
    evidence = cross_validate(
        surrogate(steps, "svm", n_splits=INNER, random_state=SEED),
        features,
        pd.Series(given["label"], index=patients),
        splitter=PatientKFold(FOLDS, random_state=SEED),
        name="surrogate",
    )
    return {"auc": np.array([pooled_auc(evidence.predictions)])}


def theirs(given: Arrays, count: int) -> Arrays:
    """The parts scikit-learn has for it, one inside the other; the same outer folds."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.feature_selection import SelectKBest, VarianceThreshold
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import (
        GridSearchCV,
        PredefinedSplit,
        StratifiedKFold,
        cross_val_predict,
    )
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    pipeline = make_pipeline(
        VarianceThreshold(),
        SelectKBest(_separation, k=KEPT),
        StandardScaler(),
        LinearSVC(dual=False, random_state=SEED),
    )
    inner = StratifiedKFold(INNER, shuffle=True, random_state=SEED)
    tuned = GridSearchCV(pipeline, {"linearsvc__C": GRID}, scoring="roc_auc", cv=inner)
    calibrated = CalibratedClassifierCV(tuned, method="sigmoid", cv=inner, ensemble=False)
    probability = cross_val_predict(
        calibrated,
        given["features"][:, :count],
        given["label"],
        cv=PredefinedSplit(given["fold"]),
        method="predict_proba",
    )
    return {"auc": np.array([roc_auc_score(given["label"], probability[:, 1])])}


def _separation(features: NDArray[Any], label: NDArray[Any]) -> Any:
    """Distance of each feature's AUC from one half, the ranking that our selector uses."""
    from scipy.stats import rankdata

    positives = int(label.sum())
    ranks = rankdata(features, axis=0)[label == 1].sum(axis=0)
    wins = ranks - positives * (positives + 1) / 2
    return np.abs(wins / (positives * (label.size - positives)) - 0.5)


def difference_of_auc(ours: Arrays, theirs: Arrays) -> Agreement:
    """Two procedures, not two computations of one number."""
    ours_auc, peer_auc = float(ours["auc"][0]), float(theirs["auc"][0])
    return Agreement(
        None,
        f"out-of-fold AUC {ours_auc:.3f} and {peer_auc:.3f} (difference {ours_auc - peer_auc:+.3f})"
        "; no max_rel_diff, as the two calibrate in different ways and so are not meant to give "
        "the same numbers",
    )


CASE = Case(
    name="surrogate_cv",
    job=f"nested cross-validation of a linear SVM on {KEPT} of {{items}} features, {PATIENTS} "
    f"patients, {FOLDS} × {INNER} folds, {len(GRID)} values of C, calibrated",
    unit="features",
    items=1000,
    sample=1000,
    warm_up=20,
    package="scikit-learn",
    peer="Pipeline in GridSearchCV in CalibratedClassifierCV(ensemble=False) in cross_val_predict",
    inputs=inputs,
    ours=ours,
    theirs=theirs,
    compare=difference_of_auc,
    remark="in an outer fold the peer fits 126 pipelines, as it calibrates in folds of their own; "
    "ours fits 6 times the steps and 21 times the SVM",
)
