"""A simulated world with known links as files of two cohorts, and maps drawn of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from radiogenomics.simulate.links import LinkCohort, LinkDesign, link_world
from radiogenomics.study.association.draw import draw_map

VOLUME = "original_shape_MeshVolume"
DESIGN = LinkDesign(
    features=24, blocks=8, genes=500, pathways=10, pathway_genes=25, overlapping_sets=2,
    unrelated_sets=8,
)  # fmt: skip
NULL = replace(DESIGN, links=())
PREFIXES = ("PATIENTA", "PATIENTB")


@dataclass(frozen=True)
class Files:
    """Tables of two cohorts in a folder, and the patients they were written from."""

    folder: Path
    first: LinkCohort
    second: LinkCohort
    features: pd.DataFrame

    def __truediv__(self, name: str) -> Path:
        """Path of a file."""
        return self.folder / name

    def write(self, table: pd.DataFrame, name: str) -> Path:
        """Write a table of patients in rows."""
        table.rename_axis("patient_id").to_csv(self / name)
        return self / name

    def plan(self, name: str = "plan.yaml", **words: Any) -> Path:
        """Write a plan: few permutations, and no joint links, unless told otherwise."""
        text = yaml.safe_dump({"permutations": 99, "joint": False} | words)
        (self / name).write_text(text)
        return self / name


def with_volume(cohort: LinkCohort) -> pd.DataFrame:
    """Image features as an extraction names them, the volume first."""
    features = cohort.features.add_prefix("original_glcm_")
    features.insert(0, VOLUME, cohort.covariates["volume"])
    return features


def written(folder: Path, design: LinkDesign) -> Files:
    """Write two cohorts of one world."""
    world = link_world(design, rng=np.random.default_rng(0))
    cohorts = [
        world.cohort(n, rng=np.random.default_rng(seed), prefix=prefix)
        for n, seed, prefix in ((80, 1, PREFIXES[0]), (60, 2, PREFIXES[1]))
    ]
    rng = np.random.default_rng(3)
    files = Files(folder, *cohorts, with_volume(cohorts[0]))
    for begin, cohort in zip(("", "second_"), cohorts, strict=True):
        features = with_volume(cohort)
        noise = rng.normal(size=(len(features), 5))
        deep = pd.DataFrame(features.iloc[:, 1:6].to_numpy() + 0.4 * noise, features.index)
        files.write(features, f"{begin}radiomics.csv")
        files.write(deep.add_prefix("deep_"), f"{begin}deep.csv")
        files.write(cohort.genes, f"{begin}rna.csv")
        cohort.genes.T.rename_axis("symbol").to_csv(folder / f"{begin}rna_turned.csv")
        files.write(cohort.covariates, f"{begin}clinical.csv")
        shuffled = features.apply(rng.permutation)
        files.write(shuffled, f"{begin}control.csv")
    lines = ["\t".join([name, "-", *genes]) for name, genes in world.gene_sets.items()]
    (folder / "sets.gmt").write_text("\n".join(lines) + "\n")
    edges = [
        (f"TF{number}", gene, 1.0)
        for number, name in enumerate(list(world.gene_sets)[:4])
        for gene in world.gene_sets[name][:15]
    ]
    table = pd.DataFrame(edges, columns=["source", "target", "weight"])
    table.to_csv(folder / "network.csv", index=False)
    files.plan()
    return files


@pytest.fixture(scope="package")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A world with planted links, and links that only volume makes."""
    return written(tmp_path_factory.mktemp("linked"), DESIGN)


@pytest.fixture(scope="package")
def unlinked(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The same without planted links."""
    return written(tmp_path_factory.mktemp("unlinked"), NULL)


@pytest.fixture
def asked(linked: Files, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Words of a small map of the linked world, with some replaced."""

    def words(**other: Any) -> dict[str, Any]:
        plain = {
            "features": linked / "radiomics.csv",
            "expression": linked / "rna.csv",
            "gene_sets": linked / "sets.gmt",
            "plan": linked / "plan.yaml",
            "out": tmp_path / "out",
            "jobs": 1,
        }
        return plain | other

    return words


@pytest.fixture(scope="package")
def everything(linked: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a map with every option."""
    return draw_everything(linked, tmp_path_factory.mktemp("everything") / "out")


@pytest.fixture(scope="package")
def draw_all() -> Callable[..., Path]:
    """Draw a map with every option that files allow: files, folder, jobs, seed."""
    return draw_everything


def draw_everything(files: Files, out: Path, *, jobs: int = 1, seed: int = 0) -> Path:
    """Draw a map with every option that files allow."""
    draw_map(
        features=[files / "radiomics.csv", files / "deep.csv"],
        expression=files / "rna_turned.csv",
        gene_sets=files / "sets.gmt",
        covariates=files / "clinical.csv",
        volume=VOLUME,
        within="site",
        controls=files / "control.csv",
        network=files / "network.csv",
        explain="deep",
        second_features=[files / "second_radiomics.csv", files / "second_deep.csv"],
        second_expression=files / "second_rna.csv",
        second_covariates=files / "second_clinical.csv",
        plan=files / "plan.yaml",
        out=out,
        jobs=jobs,
        seed=seed,
    )
    return out
