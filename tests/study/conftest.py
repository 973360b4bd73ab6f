"""Small simulated cohorts with a table of image features, in memory and as files, and a recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from radiogenomics import simulate, study
from radiogenomics.core.cohort import Cohort
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.provenance import Provenance
from radiogenomics.simulate import SimulatedHCC
from radiogenomics.study.findings import Findings
from radiogenomics.study.inputs import Inputs, read_inputs
from radiogenomics.study.registry import find_study
from radiogenomics.study.surrogate import evaluate_surrogate

RECIPE = "jtm2025_irs_ctmr"
SMALL: dict[str, Any] = {
    "folds": 5,
    "repeats": 1,
    "signature_repeats": 1,
    "permutations": 9,
    "outcome_permutations": 19,
    "random_signatures": 9,
    "inner_folds": 3,
    "comparators": ("lr",),
}
Alter = Callable[..., study.Study]


@pytest.fixture(scope="session")
def alter() -> Alter:
    """A copy of a recipe with other values; settings are found by their name in any section."""

    def altered(recipe: study.Study, **values: Any) -> study.Study:
        update = {}
        for section in ("label", "features", "model", "evaluation", "prognosis", "response"):
            record = getattr(recipe, section)
            given = {
                name: getattr(record, name).model_copy(update={"value": value})
                for name, value in values.items()
                if name in type(record).model_fields
            }
            update[section] = record.model_copy(update=given)
        return recipe.model_copy(update=update)

    return altered


@pytest.fixture(scope="session")
def recipe(alter: Alter) -> study.Study:
    return alter(study.show(RECIPE), **SMALL)


def measured(world: SimulatedHCC, *, signal: float, seed: int) -> Cohort:
    """The cohort with eight image features instead of scans; the first follows proliferation."""
    cohort = world.cohort
    tumours = cohort.assay("rna").where("sample_type", "tumour").samples
    noise = np.random.default_rng([seed, 9]).normal(size=(len(tumours), 8))
    values = pd.DataFrame(noise, index=tumours.index, columns=[f"texture_{i}" for i in range(8)])
    latent = world.truth["proliferation"].loc[tumours["patient_id"].astype(str)]
    values["texture_0"] += signal * latent.to_numpy()
    table = FeatureTable.from_frame(
        values, name="radiomics", unit="feature", source="made", patient_id=tumours["patient_id"]
    )
    return replace(cohort.with_assay(table), scans=())


def world(
    n: int, *, id: str, sites: tuple[str, ...], seed: int, signal: float = 2.0
) -> SimulatedHCC:
    simulated = simulate.hcc_cohort(
        n, sites=sites, n_genes=150, n_normals=6, id=id, rng=np.random.default_rng(seed)
    )
    return replace(simulated, cohort=measured(simulated, signal=signal, seed=seed))


@pytest.fixture(scope="session")
def near() -> SimulatedHCC:
    """Discovery: 50 patients of two sites."""
    return world(50, id="near", sites=("north", "south"), seed=5)


@pytest.fixture(scope="session")
def far() -> SimulatedHCC:
    """External: 40 patients of a third site."""
    return world(40, id="far", sites=("west",), seed=6)


@pytest.fixture(scope="session")
def inputs(near: SimulatedHCC, recipe: study.Study) -> Inputs:
    return read_inputs(near.cohort, recipe, jobs=1)


@pytest.fixture(scope="session")
def far_inputs(far: SimulatedHCC, recipe: study.Study) -> Inputs:
    return read_inputs(far.cohort, recipe, jobs=1)


@pytest.fixture(scope="session")
def surrogate(recipe: study.Study, inputs: Inputs) -> Findings:
    """What the surrogate stage finds in the discovery cohort."""
    return evaluate_surrogate(recipe, inputs, seed=0, jobs=1)


@pytest.fixture(scope="session")
def provenance() -> Provenance:
    return Provenance({}, "recipe", 0, {"radiogenomics": "test"})


@dataclass(frozen=True)
class Files:
    """What a user brings: a recipe, the same with next to no null, two cohorts with manifests."""

    recipe: Path
    quick: Path
    near: Path
    far: Path
    cohorts: tuple[Cohort, Cohort]


@pytest.fixture(scope="session")
def files(near: SimulatedHCC, far: SimulatedHCC, tmp_path_factory: pytest.TempPathFactory) -> Files:
    root = tmp_path_factory.mktemp("brought")
    fields = yaml.safe_load(find_study(RECIPE).read_text(encoding="utf-8"))
    for section in ("model", "evaluation"):
        for name, given in fields[section].items():
            given["value"] = SMALL.get(name, given["value"])
    fields["model"]["comparators"]["value"] = list(SMALL["comparators"])
    fields["study"] = "small"
    (root / "study.yaml").write_text(yaml.safe_dump(fields), encoding="utf-8")
    fields["model"]["comparators"]["value"] = []
    fields["evaluation"]["permutations"]["value"] = 1
    (root / "quick.yaml").write_text(yaml.safe_dump(fields), encoding="utf-8")
    return Files(
        root / "study.yaml",
        root / "quick.yaml",
        simulate.write_cohort(near, root / "near"),
        simulate.write_cohort(far, root / "far"),
        (near.cohort, far.cohort),
    )
