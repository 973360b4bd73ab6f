from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError
from radiogenomics.omics import to_log2
from radiogenomics.omics.normalise import check_counts, counts_per_million, transcripts_per_million


@pytest.fixture
def lengths(counts, rng) -> pd.Series:
    names = [*counts.columns[::-1], "another"]
    return pd.Series(rng.uniform(0.3, 8, len(names)), index=names)


def test_counts_per_million_agree_with_edger(counts, logs):
    expected = logs("cpm")
    found = counts_per_million(counts)
    np.testing.assert_allclose(found[expected.columns], expected, rtol=1e-12)
    assert found.index.equals(counts.index) and found.columns.equals(counts.columns)


def test_counts_per_million_are_those_of_to_log2(counts):
    pd.testing.assert_frame_equal(
        np.log2(counts_per_million(counts) + 1), to_log2(counts, "counts")
    )


def test_a_panel_needs_its_true_library_sizes(counts):
    total = counts.sum(axis=1)
    panel = counts.iloc[:, :20]
    found = counts_per_million(panel, library_size=total.iloc[::-1])
    pd.testing.assert_frame_equal(found, counts_per_million(counts).iloc[:, :20])
    with pytest.raises(AlignmentError, match=r"none of 1 \(S9\)"):
        counts_per_million(panel, library_size=total.iloc[:-1])
    with pytest.raises(DataError, match="Give total reads of the sample, not millions"):
        counts_per_million(panel, library_size=total / 1e6)


def test_transcripts_per_million_by_their_formula(counts, lengths):
    found = transcripts_per_million(counts, lengths)
    np.testing.assert_allclose(found.sum(axis=1), 1e6, rtol=1e-12)
    rate = counts["G005"] / lengths["G005"]
    total = sum(counts[gene] / lengths[gene] for gene in counts)
    np.testing.assert_allclose(found["G005"], 1e6 * rate / total, rtol=1e-12)
    # The unit of length does not matter.
    np.testing.assert_allclose(transcripts_per_million(counts, 1000 * lengths), found, rtol=1e-12)


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda s: s.drop("G003"), AlignmentError, r"none of 1 \(G003\)"),
        (lambda s: pd.concat([s, s[["G003"]]]), AlignmentError, r"several of 1 \(G003\)"),
        (lambda s: s.mask(s.index == "G003"), DataError, r"1 others \(G003\)"),
        (lambda s: s.mask(s.index == "G003", 0), DataError, "above 0"),
    ],
)
def test_lengths_that_lack_a_gene_are_refused(counts, lengths, spoil, error, message):
    with pytest.raises(error, match=message):
        transcripts_per_million(counts, spoil(lengths))


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda c: c.assign(G001="high"), DataError, "as numbers"),
        (lambda c: c.astype(float).replace(0, np.nan), DataError, "missing or infinite"),
        (lambda c: c - 1, DataError, "Negative values"),
        (lambda c: np.log2(c + 1), DataError, "look like logarithms"),
        (lambda c: c / 3 + 1, DataError, "fractional=True"),
        (lambda c: c * 0, DataError, r"in 9|found 9 without"),
        (lambda c: c.assign(**{"@site": 1}), SchemaError, "row fact"),
    ],
)
def test_other_tables_are_refused(counts, spoil, error, message):
    for function in (check_counts, counts_per_million):
        with pytest.raises(error, match=message):
            function(spoil(counts))


def test_expected_counts_are_taken_when_declared(counts):
    expected = counts + 0.25
    assert check_counts(expected, fractional=True)[0, 0] == counts.iloc[0, 0] + 0.25
