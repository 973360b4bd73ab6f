from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError, DataError, MissingExtraError
from radiogenomics.omics.differential_counts import differential_counts

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "omics"


@pytest.fixture(scope="module")
def samples() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "differential_counts_input.csv", index_col="sample")


@pytest.fixture(scope="module")
def counts(samples) -> pd.DataFrame:
    return samples.filter(regex="^G")


@pytest.fixture(scope="module")
def tumour(samples) -> pd.Series:
    return samples["group"] == "tumour"


@pytest.fixture(scope="module")
def found(samples, counts, tumour) -> dict[str, pd.DataFrame]:
    pytest.importorskip("pydeseq2")
    return {
        "plain": differential_counts(counts, tumour),
        "adjusted": differential_counts(counts, tumour, covariates=samples[["batch", "age"]]),
    }


@pytest.mark.parametrize("case", ["plain", "adjusted"])
def test_is_near_deseq2_in_r(found, case):
    """Exactly the same steps, but dispersions come from another optimiser."""
    expected = pd.read_csv(REFERENCE / "differential_counts.csv").query("case == @case")
    table = found[case]
    assert table["gene"].tolist() == expected["gene"].tolist()
    np.testing.assert_allclose(table["mean"], expected["mean"], rtol=1e-12)
    for name, relative, absolute in (
        ("log2_fold_change", 0, 2e-4),
        ("statistic", 4e-3, 1e-4),
        ("p", 0, 1e-3),
    ):
        np.testing.assert_allclose(table[name], expected[name], rtol=relative, atol=absolute)
    ours, theirs = table["fdr"] < 0.05, (expected["fdr"] < 0.05).to_numpy()
    assert (ours != theirs).sum() <= 1 and ours.sum() > 20


def test_interval_is_of_the_wald_statistic(found):
    table = found["plain"].dropna(subset="statistic")
    error = table["log2_fold_change"] / table["statistic"]
    np.testing.assert_allclose(table["high"] - table["low"], 2 * 1.959963984540054 * error)


def test_genes_without_reads_and_outliers_are_not_tested(found):
    table = found["plain"].set_index("gene")
    assert table.loc["G200"].drop("mean").isna().all() and table.loc["G200", "mean"] == 0
    assert np.isnan(table.loc["G199", "p"]) and np.isfinite(table.loc["G199", "low"])


def test_paired_counts_are_compared_within_patients(rng):
    pytest.importorskip("pydeseq2")
    patient = np.tile(np.arange(6), 2)
    level = np.exp(rng.normal(5, 1, 60)) * np.exp(rng.normal(0, 1, (6, 60)))[patient]
    level[6:, :10] *= 1.7
    size = 30.0
    counts = pd.DataFrame(rng.negative_binomial(size, size / (size + level))).add_prefix("G")
    after = pd.Series(np.repeat([False, True], 6))
    paired = differential_counts(counts, after, paired=pd.Series(patient))
    alone = differential_counts(counts, after)
    assert (paired["fdr"][:10] < 0.05).sum() > (alone["fdr"][:10] < 0.05).sum() + 4


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda c, t: (np.log2(c + 1), t), DataError, "look like logarithms"),
        (lambda c, t: (c + 0.5, t), DataError, "whole numbers"),
        (lambda c, t: (c - 5, t), DataError, "Negative values"),
        (lambda c, t: (c * (c.index != "S03")[:, None], t), DataError, r"without \(S03\)"),
        (lambda c, t: (c.rename(columns={"G001": "G002"}), t), DataError, "G002 twice"),
        (lambda c, t: (c, t.iloc[::-1]), AlignmentError, "Reindex"),
        (lambda c, t: (c, t.astype(str)), DataError, "True and False"),
    ],
)
def test_other_tables_are_refused(counts, tumour, spoil, error, message):
    with pytest.raises(error, match=message):
        differential_counts(*spoil(counts, tumour))


def test_what_is_confounded_is_refused(samples, counts, tumour):
    with pytest.raises(DataError, match="confounded with the group"):
        differential_counts(counts, tumour, covariates=samples[["group"]].add_suffix("s"))


def test_senseless_levels_are_refused(counts, tumour):
    with pytest.raises(DataError, match="alpha"):
        differential_counts(counts, tumour, alpha=0)
    with pytest.raises(DataError, match="confidence level"):
        differential_counts(counts, tumour, level=95)


def test_without_pydeseq2_the_extra_is_named(counts, tumour, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("pydeseq2"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"radiogenomics\[omics\]"):
        differential_counts(counts, tumour)
