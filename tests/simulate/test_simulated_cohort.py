from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, SchemaError, UnknownNameError
from radiogenomics.simulate import SimulatedHCC, hcc_cohort
from radiogenomics.simulate.design import Design
from radiogenomics.simulate.streams import stream


def made(seed: int = 1, **changes: Any) -> SimulatedHCC:
    arguments = {"n_patients": 30, "n_genes": 200, "rng": np.random.default_rng(seed)}
    return hcc_cohort(**(arguments | changes))


def tables(simulated: SimulatedHCC) -> dict[str, pd.DataFrame]:
    cohort = simulated.cohort
    found = {name: table.values for name, table in cohort.assays.items() if name != "scrna"}
    found |= {name: cohort.survival(name).to_frame() for name in ("OS", "PFS")}
    found["response"] = cohort.response("response").category.to_frame()
    return found | {"patients": cohort.patients, "truth": simulated.truth}


def test_cohort_holds_what_was_asked_for() -> None:
    simulated = made(
        n_normals=8,
        phases=("arterial", "portal"),
        time_points=("baseline", "follow-up"),
        single_cell_patients=3,
        sites=("north", "south", "west"),
        id="trial",
    )
    cohort = simulated.cohort
    assert cohort.simulated
    assert cohort.id == "trial"
    assert cohort.licence == "simulated, no patient"
    assert set(cohort.patients["site"].value_counts()) == {10}
    assert len(cohort.scans) == 30 * 4
    assert len({(s.patient_id, s.phase, s.time_point) for s in cohort.scans}) == 120
    for name in ("rna", "rna_counts"):
        table = cohort.assay(name)
        assert table.samples["sample_type"].value_counts().to_dict() == {"tumour": 30, "normal": 8}
        assert len(table.where("sample_type", "tumour").per_patient()) == 30
    assert cohort.assay("protein").n_samples == 30
    assert cohort.assay("scrna").patient_ids.tolist() == cohort.patient_ids[:3].tolist()
    assert cohort.response("response").criterion == "mRECIST"
    assert set(cohort.patients["itls"]) == {"present", "absent"}
    assert simulated.truth.index.equals(cohort.patients.index)
    assert {"proliferation", "immune", "hypoxia", "log_hazard"} <= set(simulated.truth)


def test_rna_is_log2_of_counts_per_million() -> None:
    cohort = made().cohort
    counts = cohort.assay("rna_counts")
    library = counts.samples["library_size"]
    assert (counts.values.sum(axis=1) < library).all()
    expected = np.log2(1e6 * counts.values.div(library, axis=0) + 1)
    pd.testing.assert_frame_equal(cohort.assay("rna").values, expected)
    assert (counts.values % 1 == 0).all(axis=None)


def test_same_seed_same_cohort_and_another_seed_another() -> None:
    one, again, other = tables(made(1)), tables(made(1)), tables(made(2))
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, again[name])
        assert not table.equals(other[name])


def test_without_generator_every_cohort_is_new() -> None:
    assert hcc_cohort(5, n_genes=200).seed != hcc_cohort(5, n_genes=200).seed


def test_what_else_is_measured_changes_nothing() -> None:
    plain = tables(made())
    rich = made(
        n_normals=5,
        single_cell_patients=2,
        phases=("portal", "arterial"),
        modality="MR",
        id="other",
    )
    for name, table in tables(rich).items():
        values = table.iloc[:30].to_numpy()
        assert pd.DataFrame(values).equals(pd.DataFrame(plain[name].to_numpy())), name


def test_more_genes_change_no_outcome() -> None:
    few, many = tables(made(n_genes=200)), tables(made(n_genes=400))
    for name in ("OS", "PFS", "response", "patients", "truth"):
        pd.testing.assert_frame_equal(few[name], many[name])


def test_patients_of_two_cohorts_are_never_confused() -> None:
    one, other = made(id="discovery"), made(id="external")
    assert not set(one.cohort.patient_ids) & set(other.cohort.patient_ids)
    assert one.cohort.patient_ids[0].startswith("SIM-")


def test_laboratory_is_independent_of_the_scanner() -> None:
    simulated = made(n_patients=400, n_genes=160)
    batch = simulated.cohort.assay("rna").samples["batch"].to_numpy()
    shared = (batch == simulated.cohort.patients["site"].to_numpy()).mean()
    assert shared == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(400))


def test_streams_differ_by_every_word() -> None:
    paths = [("a",), ("b",), ("a", 1), ("a", 2), ("a", 1, "x")]
    draws = {stream(seed, *path).normal() for seed in (1, 2) for path in paths}
    assert len(draws) == 10


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"n_patients": 1}, DataError, "at least 2 patients; found 1"),
        ({"effect": -0.5}, DataError, "found -0.5"),
        ({"effect": float("nan")}, DataError, "found nan"),
        ({"n_genes": 10}, DataError, "found 10"),
        ({"n_normals": 31}, DataError, "n_normals between 0 and the 30"),
        ({"single_cell_patients": -1}, DataError, "found -1"),
        ({"sites": ()}, DataError, "one or more sites"),
        ({"sites": ("A", "A")}, DataError, "once each"),
        ({"phases": ("arterial", "arterial")}, DataError, "once each"),
        ({"phases": ("arterail",)}, UnknownNameError, "did you mean 'arterial'"),
        ({"time_points": ("followup",)}, UnknownNameError, "did you mean 'follow-up'"),
        ({"modality": "PT"}, UnknownNameError, "known: CT, MR"),
        ({"id": "a cohort"}, SchemaError, "found 'a cohort'"),
    ],
)
def test_what_cannot_be_is_refused(
    changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        made(**changes)


def test_design_deals_patients_evenly(rng: np.random.Generator) -> None:
    design = Design(10, 1.0, ("A", "B", "C"), "CT", 200, 0, ("arterial",), ("baseline",), 0, "x")
    dealt = pd.Series(design.deal(rng)).value_counts()
    assert sorted(dealt) == [3, 3, 4]
