import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from radiogenomics.cli.main import app
from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.signature import Signature
from radiogenomics.io.signatures import write_signature
from radiogenomics.study.score import score

IRS = Signature(
    "IRS",
    ("KPNA2", "SMG5"),
    weights=(0.5, 2.0),
    centre=(5.0, 4.0),
    scale=(1.0, 0.5),
    cutoff=0.25,
    direction="risk",
    unit="log2(TPM+1)",
)


@pytest.fixture
def cohort(rng) -> pd.DataFrame:
    """Expression in log2(TPM+1) of 40 samples, other genes beside those of the signature."""
    names = ["KPNA2", "SMG5", "GZMA", "PRF1", *[f"ENSG0000000000{i}" for i in range(5)]]
    values = rng.normal(5, 1, size=(40, len(names))).clip(0)
    return pd.DataFrame(values, columns=names, index=[f"S{i}" for i in range(40)])


def test_by_hand(cohort):
    found = score(signature=IRS, expression=cohort).table.set_index("sample")
    expected = 0.5 * (cohort["KPNA2"] - 5) + 2 * (cohort["SMG5"] - 4) / 0.5
    np.testing.assert_allclose(found["score"], expected, rtol=1e-12)
    assert (found["label"] == np.where(expected > 0.25, "high", "low")).all()


def test_one_patient_alone_and_in_company(cohort):
    together = score(signature=IRS, expression=cohort).table.set_index("sample")["score"]
    for name in cohort.index[:5]:
        alone = score(signature=IRS, expression=cohort.loc[[name]]).table["score"].iloc[0]
        assert alone == together[name]


def test_linear_units_are_brought_to_logarithms(cohort):
    tpm = np.exp2(cohort) - 1
    found = score(signature=IRS, expression=tpm, unit="TPM").table["score"]
    np.testing.assert_allclose(
        found, score(signature=IRS, expression=cohort).table["score"], rtol=1e-9
    )


def test_a_reference_replaces_the_constants_for_all_alike(cohort):
    other = cohort * 0.5 + 3
    found = score(signature=IRS, expression=other[:1], reference=other)
    genes = other[["KPNA2", "SMG5"]]
    z = (genes.iloc[0] - genes.mean()) / genes.std()
    assert found.table["score"].iloc[0] == pytest.approx(0.5 * z["KPNA2"] + 2 * z["SMG5"])
    assert "40 reference samples" in found.signature.source


def test_former_names_are_found_and_reported(cohort):
    old = cohort.rename(columns={"KPNA2": "ENSG00000182481.9"})
    found = score(signature=IRS, expression=old)
    assert found.table.equals(score(signature=IRS, expression=cohort).table)
    assert found.genes.set_index("symbol")["given"]["KPNA2"] == "ENSG00000182481.9"


@pytest.mark.parametrize("genes_in_rows", [False, True])
def test_the_command_writes_what_the_function_finds(cohort, tmp_path, genes_in_rows):
    write_signature(IRS, tmp_path / "signature.json")
    (cohort.T if genes_in_rows else cohort).to_csv(tmp_path / "x.csv")
    arguments = ["score", "--signature", tmp_path / "signature.json"]
    arguments += ["--expression", tmp_path / "x.csv", "--out", tmp_path / "scores.csv"]
    arguments += ["--genes-in-rows"] if genes_in_rows else []
    shown = CliRunner().invoke(app, list(map(str, arguments)))
    assert shown.exit_code == 0, shown.output
    assert "40 samples" in shown.output
    written = pd.read_csv(tmp_path / "scores.csv")
    pd.testing.assert_frame_equal(
        written, score(signature=IRS, expression=cohort).table, rtol=1e-12
    )


def test_bad_input_is_named(cohort, tmp_path):
    with pytest.raises(DataError, match="genes as rows"):
        score(signature=IRS, expression=cohort[["KPNA2", "SMG5", "GZMA", "PRF1"]].T)
    with pytest.raises(UnknownNameError, match="SMG5"):
        score(signature=IRS, expression=cohort.drop(columns="SMG5"))
    with pytest.raises(DataError, match="missing"):
        score(signature=IRS, expression=cohort.mask(cohort > 6))
    with pytest.raises(DataError, match="as in logarithms"):
        score(signature=IRS, expression=cohort, unit="counts")
    with pytest.raises(DataError, match="at least 10 samples"):
        score(signature=IRS, expression=cohort, reference=cohort[:5])
    with pytest.raises(StudyError, match="unit"):
        score(signature=Signature.from_json(_without_unit()), expression=cohort)
    with pytest.raises(DataError, match="belong to"):
        score(signature=IRS, expression=cohort, unit="log2(FPKM+1)")
    cohort.iloc[[0, 0]].to_csv(tmp_path / "twice.csv")
    with pytest.raises(AlignmentError, match="each sample once"):
        score(signature=IRS, expression=tmp_path / "twice.csv")
    cohort.astype(object).assign(KPNA2="high").to_csv(tmp_path / "text.csv")
    with pytest.raises(DataError, match="'high'"):
        score(signature=IRS, expression=tmp_path / "text.csv")


def _without_unit() -> str:
    return json.dumps({**json.loads(IRS.to_json()), "unit": "not stated"})


def test_one_row_in_another_unit_is_refused_as_many_are(cohort):
    counts = pd.DataFrame(np.round(np.exp2(cohort.iloc[[0]]) * 50))
    with pytest.raises(DataError, match="expected"):
        score(signature=IRS, expression=counts)
    with pytest.raises(DataError, match="whole library"):
        score(signature=IRS, expression=counts, unit="counts")


def test_values_far_from_those_learnt_from_are_warned_of():
    """A file of the signature's genes alone does not betray that it is on another scale."""
    patient = pd.DataFrame({"KPNA2": [6.0], "SMG5": [22.3]}, index=["P1"])
    with pytest.warns(RadiogenomicsWarning, match="found SMG5 beyond, in 1 of 1 samples"):
        score(signature=IRS, expression=patient)
