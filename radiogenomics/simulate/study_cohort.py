"""One part of a simulated study as tables, and as files and a manifest that are read like any."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.core.provenance import hash_file
from radiogenomics.simulate.staging import complete_or_not
from radiogenomics.simulate.streams import stream
from radiogenomics.simulate.study_design import CategoryLabel, StudyDesign
from radiogenomics.simulate.study_facts import says_progression, write_facts
from radiogenomics.simulate.study_images import block_scores, image_worlds
from radiogenomics.simulate.study_people import People, draw_people, with_endpoints
from radiogenomics.simulate.study_rivals import RESPONSE_SHARES
from radiogenomics.simulate.study_truth import StudyTruth, calibrate

Floats = NDArray[np.float64]

MANIFEST = "manifest.yaml"
READING = "_reading_2"
LICENCE = "simulated, no patient"


@dataclass(frozen=True, eq=False, repr=False)
class StudyCohort:
    """SIMULATED patients of one part of a study, as an analyst would see them, and the truth.

    Where the part has no label, nothing that it is read from is in any table but the truth.

    Parameters
    ----------
    id, title
        Of the manifest.
    facts
        Patients × facts.
    blocks
        Assay → patients × features; second readings are assays of their own, and patients who were
        not scanned again have no row in later blocks.
    markers
        Assay → patients × genes.
    outcomes
        Endpoint → columns ``months`` and ``event``.
    responses
        Outcome → category of each patient.
    orders
        Outcome → its categories from best to worst.
    truth
        ``class``, ``score`` and ``score_<block>`` of each patient: never for a model.
    """

    id: str
    title: str
    facts: pd.DataFrame
    blocks: Mapping[str, pd.DataFrame]
    markers: Mapping[str, pd.DataFrame]
    outcomes: Mapping[str, pd.DataFrame]
    responses: Mapping[str, pd.Series[str]]
    orders: Mapping[str, tuple[str, ...]]
    truth: pd.DataFrame

    def __repr__(self) -> str:
        """Say that it is simulated, and how large it is."""
        return (
            f"StudyCohort(SIMULATED {self.id}: {len(self.facts)} patients, "
            f"{len(self.blocks)} tables of image features)"
        )


def draw_study_cohort(design: StudyDesign, part: str, *, seed: int) -> StudyCohort:
    """Draw one part of a study; parts with the same seed share one truth.

    Parameters
    ----------
    design, part
        The study, and the name of one cohort of it.
    seed
        Of everything; the patients of a part do not depend on the other parts.

    Raises
    ------
    UnknownNameError
        The design has no such part.
    DataError
        The design cannot be met: a rival above the true model, positives that hardly occur.

    Examples
    --------
    >>> from radiogenomics.simulate.study_design import ImageDesign, PartDesign, WordLabel
    >>> design = StudyDesign(
    ...     study="toy",
    ...     parts={"training": PartDesign(60, 24, ("A",))},
    ...     images={"ct": ImageDesign(tuple(f"deep_{n}" for n in range(50)))},
    ...     clinical={},
    ...     label=WordLabel("itls", ("present",), ("absent",)),
    ...     better=True,
    ...     target=0.85,
    ...     shares={"ct": 1.0},
    ...     informative=5,
    ... )
    >>> cohort = draw_study_cohort(design, "training", seed=1)
    >>> cohort
    StudyCohort(SIMULATED toy-training: 60 patients, 1 tables of image features)
    >>> cohort.facts["itls"].value_counts().to_dict()
    {'absent': 36, 'present': 24}
    """
    if part not in design.parts:
        raise UnknownNameError("part of the design", part, design.parts)
    truth, asked, rng = calibrate(design), design.parts[part], stream(seed, part, "people")
    people = draw_people(design, truth, asked, rng=rng)
    written = write_facts(design, truth, people, part=asked, rng=stream(seed, part, "facts"))
    progressed = says_progression(design, written)
    people = with_endpoints(design, truth, people, progressed=progressed, rng=rng)
    id = f"{design.study}-{part}"
    index = _patient_ids(id, people.size)
    blocks, scores = _images(design, people, part, sites=written.facts["site"], seed=seed)
    scores |= {name: people.blocks[name] for name in design.clinical}
    cohort = StudyCohort(
        id=id,
        title=_title(design, part, seed),
        facts=written.facts.set_axis(index, axis=0),
        blocks={name: _rows(table, index) for name, table in blocks.items()},
        markers={name: table.set_axis(index, axis=0) for name, table in written.markers.items()},
        outcomes={name: table.set_axis(index, axis=0) for name, table in people.outcomes.items()},
        responses={name: pd.Series(words, index) for name, words in written.responses.items()},
        orders={name: _order(design, name) for name in written.responses},
        truth=_truth(design, truth, people, scores=scores).set_axis(index, axis=0),
    )
    return cohort if asked.labelled else _without_label(cohort, design)


def write_study_cohort(cohort: StudyCohort, folder: Path | str) -> Path:
    """Write tables and the manifest that describes them.

    ``patients.csv`` (facts and outcomes), one parquet file a block or assay, and ``manifest.yaml``
    with checksums. ``truth.csv`` lies beside them and is not in the manifest, as no analysis may
    read it. The folder appears complete or not at all.

    Returns
    -------
    pathlib.Path
        The manifest; its folder is the data root.

    Raises
    ------
    DataError
        The folder holds something already.
    MissingFileError
        The folder that should hold it does not exist.
    """
    folder = Path(folder)
    with complete_or_not(folder) as staging:
        manifest = {
            "cohort": cohort.id,
            "title": cohort.title,
            "licence": LICENCE,
            "citation": "none: no patient of it exists",
            "simulated": True,
            "patients": _write_patients(cohort, staging),
            "assays": {
                **{name: _write(table, name, staging) for name, table in cohort.blocks.items()},
                **{
                    name: _write(table, name, staging, genes=True)
                    for name, table in cohort.markers.items()
                },
            },
            "outcomes": _outcome_rules(cohort),
        }
        cohort.truth.to_csv(staging / "truth.csv", index_label="patient_id")
        text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=100)
        (staging / MANIFEST).write_text(text, encoding="utf-8")
    return folder / MANIFEST


def _images(
    design: StudyDesign, people: People, part: str, *, sites: pd.Series[str], seed: int
) -> tuple[dict[str, pd.DataFrame], dict[str, Floats]]:
    """Tables with row numbers as index, and the scores that the features themselves give."""
    at = sites.to_numpy()
    worlds = image_worlds(design, seed)
    first = part == next(iter(design.parts))
    values: dict[str, Floats] = {}
    tables: dict[str, pd.DataFrame] = {}
    for name, world in worlds.items():
        fresh = world.fresh(people.blocks[name], stream(seed, part, "features", name))
        earlier = world.repeats
        values[name] = fresh if earlier is None else world.again(values[earlier], fresh)
        seen = world.seen(values[name], at, stream(seed, part, "seen", name))
        block = design.images[name]
        there = seen.loc[people.visits.scanned] if block.later else seen
        tables[name] = there
        if first and block.reread:
            rng = stream(seed, part, "reading", name)
            rows = np.sort(rng.permutation(there.index.to_numpy())[: block.reread])
            second = world.read_again(values[name][rows], rng)
            tables[f"{name}{READING}"] = world.seen(second, at[rows], rng).set_axis(rows, axis=0)
    return tables, block_scores(worlds, values)


def _without_label(cohort: StudyCohort, design: StudyDesign) -> StudyCohort:
    """The same patients, of whom nobody measured what the label is read from."""
    label, made = design.label, design.label_endpoint
    read = {label.outcome} if isinstance(label, CategoryLabel) else {made} - {None}
    read |= {
        name for name in cohort.outcomes if made is not None and design.made_from(name) == made
    }
    return replace(
        cohort,
        facts=cohort.facts.drop(columns=list(design.label_facts)),
        markers={},
        outcomes={name: one for name, one in cohort.outcomes.items() if name not in read},
        responses={name: one for name, one in cohort.responses.items() if name not in read},
        orders={name: one for name, one in cohort.orders.items() if name not in read},
    )


def _title(design: StudyDesign, part: str, seed: int) -> str:
    without = "" if design.change else ", no change at follow-up"
    if not design.effect:
        without = ", nothing linked"
    return f"Simulated {design.study}, {part}{without}, seed {seed}"


def _rows(table: pd.DataFrame, index: pd.Index[Any]) -> pd.DataFrame:
    return table.set_axis(index[table.index], axis=0)


def _truth(
    design: StudyDesign, truth: StudyTruth, people: People, *, scores: Mapping[str, Floats]
) -> pd.DataFrame:
    whole = sum(np.sqrt(design.carried(name)) * scores[name] for name in design.blocks)
    table = {"class": people.positive.astype(int), "score": whole}
    table |= {f"score_{name}": scores[name] for name in design.blocks}
    return pd.DataFrame(table).assign(true_discrimination=truth.discrimination)


def _order(design: StudyDesign, outcome: str) -> tuple[str, ...]:
    """Categories from best to worst."""
    groups = [
        rival.groups
        for rival in design.rivals.values()
        if rival.outcome and rival.fact == outcome and rival.groups
    ]
    label = design.label
    if isinstance(label, CategoryLabel) and label.outcome == outcome:
        groups = [(label.negative, label.positive)]
    towards = [word for group in groups[0][::-1] for word in group]
    usual = [word for word, _ in RESPONSE_SHARES]
    if set(towards) <= set(usual):
        return tuple(usual)
    return tuple(dict.fromkeys(towards if design.better else towards[::-1]))


def _patient_ids(cohort: str, size: int) -> pd.Index[Any]:
    mark = f"{zlib.crc32(cohort.encode()):08X}"[:3]
    names = [f"SIM-{mark}-{number:04d}" for number in range(1, size + 1)]
    return pd.Index(names, name="patient_id", dtype=object)


def _write_patients(cohort: StudyCohort, folder: Path) -> dict[str, Any]:
    table = cohort.facts.copy()
    for name, outcome in cohort.outcomes.items():
        table[f"{name}_months"] = outcome["months"]
        table[f"{name}_event"] = outcome["event"].astype(int)
    for name, categories in cohort.responses.items():
        table[f"{name}_category"] = categories
    table.to_csv(folder / "patients.csv", index_label="patient_id", float_format="%.6g")
    columns = {
        str(fact): {"column": str(fact), "kind": "text" if values.dtype == object else "number"}
        for fact, values in cohort.facts.items()
    }
    return {
        **_entry(folder, "patients.csv"),
        "id": {"column": "patient_id", "kind": "plain"},
        "columns": columns,
    }


def _write(table: pd.DataFrame, name: str, folder: Path, *, genes: bool = False) -> dict[str, Any]:
    """Write a table with variables as rows, as thousands of columns are slow to write and read."""
    rows = table.T.rename_axis("variable").reset_index()
    rows.columns.name = None
    rows.to_parquet(folder / f"{name}.parquet", index=False)
    return {
        **_entry(folder, f"{name}.parquet"),
        "orientation": "genes_by_samples",
        "identifiers": "symbol" if genes else "feature",
        "unit": "log2(x+1)" if genes else "feature",
        "variable_column": "variable",
    }


def _outcome_rules(cohort: StudyCohort) -> dict[str, Any]:
    rules: dict[str, Any] = {
        name: {
            "kind": "survival",
            "time": f"{name}_months",
            "event": f"{name}_event",
            "time_unit": "months",
            "origin": "start of treatment",
        }
        for name in cohort.outcomes
    }
    for name in cohort.responses:
        rules[name] = {
            "kind": "response",
            "column": f"{name}_category",
            "criterion": "simulated",
            "order": list(cohort.orders[name]),
        }
    return rules


def _entry(folder: Path, file: str) -> dict[str, Any]:
    return {"file": file, "source": "simulated", "sha256": hash_file(folder / file)}
