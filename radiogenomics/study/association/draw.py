"""Draw the radiogenomic map of a cohort: files or assays → a folder with tables and a report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from radiogenomics.core.errors import StudyError, UnknownNameError
from radiogenomics.core.log import get_logger
from radiogenomics.core.provenance import Provenance, hash_file, hash_text, versions
from radiogenomics.evaluation.association.map import MapSettings, associate
from radiogenomics.io import output_folder, read_hgnc
from radiogenomics.io.feature_files import read_feature_file
from radiogenomics.omics.identifiers import GeneNames
from radiogenomics.study.association.map_words import (
    caution_notes,
    conclusion,
    described,
    file_names,
    recipe,
    within_reach,
)
from radiogenomics.study.association.overlay import (
    OverlayWanted,
    overlay_stage,
    overlay_wanted,
)
from radiogenomics.study.association.pathway_files import read_edges, read_symbols
from radiogenomics.study.association.plan import MapPlan
from radiogenomics.study.association.replicate import replication_stage, require_second
from radiogenomics.study.association.side_covariates import (
    beside_volume,
    require_independent,
)
from radiogenomics.study.association.side_files import (
    FileWords,
    Read,
    read_with,
    require_used,
    short_names,
)
from radiogenomics.study.association.sides import (
    Names,
    Sides,
    SidesWanted,
    names_given,
    read_sides,
    sides_wanted,
)
from radiogenomics.study.association.stages import (
    Drawn,
    Sets,
    activity_stage,
    attempted,
    control_stage,
    joint_stage,
    likeness_stage,
    modules_stage,
    whole_features,
)
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.plan import plan_from
from radiogenomics.study.results import Results, without_identities, write_results
from radiogenomics.study.run import DEFAULT_SEED, collected_warnings

Place = str | Path | None


@dataclass(frozen=True)
class MapWanted:
    """What is held against what, and what is asked beside.

    Parameters
    ----------
    first, second
        Cohort of the map; one in which its strongest links are tried again, or None.
    volume
        Feature or covariate that holds the tumour volume.
    gene_sets, network, hgnc
        GMT of the sets; edges for activities; HGNC complete set.
    controls
        Files of features of the same patients that say nothing, such as those of shuffled voxels.
    explain
        Table of features (file or assay) to be explained by those of the others.
    overlay
        What the scans of the cohort are mapped with; None for no feature maps.
    """

    first: SidesWanted
    second: SidesWanted | None = None
    volume: str | None = None
    gene_sets: Path | None = None
    network: Path | None = None
    hgnc: Path | None = None
    controls: tuple[Path, ...] = ()
    explain: str | None = None
    overlay: OverlayWanted | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Files beside those of the two sides."""
        single = (self.gene_sets, self.network, self.hgnc)
        mapped = () if self.overlay is None else self.overlay.files
        return (*(path for path in single if path is not None), *self.controls, *mapped)


class MapInputsRead(NamedTuple):
    """What a map is drawn from, read and checked.

    Attributes
    ----------
    first : Sides
    second : Sides or None
    gene_sets : Mapping
        Name → symbols.
    network : DataFrame or None
        Edges.
    controls : Mapping
        Name → features that say nothing.
    explained : str or None
        Table of features to explain.
    covariates : DataFrame or None
        Those of the first, but for the volume.
    volume : Series or None
    """

    first: Sides
    second: Sides | None
    gene_sets: Sets
    network: pd.DataFrame | None
    controls: Mapping[str, pd.DataFrame]
    explained: str | None
    covariates: pd.DataFrame | None
    volume: pd.Series[float] | None

    @property
    def cohorts(self) -> tuple[Sides, ...]:
        """One or two."""
        return (self.first,) if self.second is None else (self.first, self.second)


def draw_map(
    *,
    features: Names, expression: Names, out: str | Path, gene_sets: Place = None,
    covariates: Names = None, volume: str | None = None, within: str | None = None,
    id: str | None = None, drop: Names = None, cohort: Place = None, controls: Names = None,
    network: Place = None, explain: str | None = None, settings: Place = None,
    region: str | None = None, second_features: Names = None, second_expression: Names = None,
    second_covariates: Names = None, second_cohort: Place = None, plan: Place = None,
    force: bool = False, hgnc: Place = None, data_root: Place = None, jobs: int | None = None,
    seed: int = DEFAULT_SEED,
) -> Results:  # fmt: skip
    """Hold image features against genes and gene sets; write tables, nulls and the report.

    :func:`~radiogenomics.evaluation.association.map.associate` says what is computed.

    Parameters
    ----------
    features, expression, out
        Files, either way round, or assays of ``cohort``; output folder, all or nothing.
    gene_sets, covariates, volume, within
        GMT file; a file, or columns of the cohort's patients, taken out of both sides; feature or
        covariate that holds the volume, taken out too; column inside whose values patients are
        permuted.
    id, drop
        Column of identifiers, and columns to leave out, of those files that have them.
    cohort, controls, network, explain, settings, region
        Manifest; features of shuffled voxels; edges for activities; features to be explained;
        preset or parameter file, and mask, with which linked features are mapped over the scans.
    second_features, second_expression, second_covariates, second_cohort
        A second cohort, in which the strongest links are tried again.
    plan, force, hgnc, data_root, jobs, seed
        YAML of :class:`~radiogenomics.study.association.plan.MapPlan`; go on with fewer than 20
        patients; HGNC complete set; as in :func:`~radiogenomics.study.run.run` (threads).

    Raises
    ------
    RadiogenomicsError
        A file, name or option is wrong, or too few patients are in all tables.
    """
    sides = partial(sides_wanted, data_root=data_root, id=id, drop=drop)
    first = sides(features, expression, covariates, cohort=cohort, within=within)
    again, second = (second_features, second_expression, second_covariates), None
    if any(again) or second_cohort:
        second = sides(*again, cohort=second_cohort, what="second cohort")
    sets, edges, names = (None if p is None else Path(p) for p in (gene_sets, network, hgnc))
    extra, places = tuple(map(Path, names_given(controls))), overlay_wanted(settings, region)
    wanted = MapWanted(first, second, volume, sets, edges, names, extra, explain, places)
    loaded = plan_from(MapPlan, plan)
    chosen = loaded.settings(force=force, seed=seed, threads=jobs or os.cpu_count() or 1)
    return _written(wanted, loaded, chosen, out=Path(out))


def _written(wanted: MapWanted, plan: MapPlan, settings: MapSettings, *, out: Path) -> Results:
    with output_folder(out) as writer:
        with collected_warnings() as caught:
            inputs = _read(wanted, settings)
            findings = merge(_stages(inputs, plan=plan, settings=settings, wanted=wanted))
        asked = {
            "volume": wanted.volume,
            "files": file_names(wanted.files),
            "explain": wanted.explain and Path(wanted.explain).name,
            "feature_maps": None if wanted.overlay is None else wanted.overlay.words(),
            "fewest_patients": settings.fewest,
        }
        text = recipe((wanted.first, wanted.second), asked, plan=plan)
        hashes = _hashes(inputs.cohorts, wanted.files)
        provenance = Provenance(hashes, hash_text(text), settings.seed, versions())
        results = _results(inputs.cohorts, findings, caught, provenance=provenance)
        write_results(results, writer, recipe=text)
    return replace(results, folder=out)


def _read(wanted: MapWanted, settings: MapSettings) -> MapInputsRead:
    """Read everything before anything is computed, so that a wrong word costs no time."""
    known = None if wanted.hgnc is None else GeneNames(read_hgnc(wanted.hgnc), wanted.hgnc.name)
    sets = {} if wanted.gene_sets is None else read_symbols(wanted.gene_sets, known)
    edges = None if wanted.network is None else read_edges(wanted.network, known)
    first = read_sides(wanted.first, known=known, prefixes=())
    explained = None if wanted.explain is None else _explained(wanted.explain, first)
    others, volume = beside_volume(first.features, first.covariates, wanted.volume)
    require_independent(others, volume, method=settings.method)
    words = wanted.first.words
    controls, reads = _controls(wanted.controls, first, words=words)
    second = None
    if wanted.second is not None:
        prefixes = tuple(dict.fromkeys(first.sources))
        second = read_sides(wanted.second, known=known, prefixes=prefixes)
        if second.name == first.name:
            second = replace(second, name=f"{second.name} (second)")
        require_second(first, second, fewest=settings.fewest)
        reads += second.reads
    require_used(words, (*first.reads, *reads))
    return MapInputsRead(first, second, sets, edges, controls, explained, others, volume)


def _stages(
    inputs: MapInputsRead, *, plan: MapPlan, settings: MapSettings, wanted: MapWanted
) -> Iterator[Findings]:
    asked = {
        "covariates": file_names(wanted.first.covariates),
        "volume": wanted.volume,
        "permuted within": wanted.first.within,
        **plan.model_dump(),
    }
    yield described(inputs.cohorts, asked, plan=plan)
    drawn = _drawn(inputs, settings)
    kinds = len(drawn.found.tables["map_summary"])
    yield Findings(
        metrics=drawn.found.metrics,
        tables=_with_sources(drawn) | whole_features(drawn),
        notes=(*within_reach(kinds, settings), *caution_notes(inputs.first.caution)),
    )
    for what, stage in _beside(drawn, inputs, plan=plan, wanted=wanted):
        yield attempted(what, stage)


def _beside(
    drawn: Drawn, inputs: MapInputsRead, *, plan: MapPlan, wanted: MapWanted
) -> Iterator[tuple[str, Callable[[], Findings]]]:
    """Stages beside the map, and what each is called where it cannot be done."""
    if inputs.network is not None:
        yield "Activities", partial(activity_stage, drawn, inputs.network)
    if inputs.explained is not None:
        yield "Features explained", partial(likeness_stage, drawn, inputs.explained)
    if wanted.overlay is not None:
        maps = wanted.overlay
        stage = partial(overlay_stage, drawn, settings=maps.settings, region=maps.region)
        yield "Feature maps", stage
    if plan.modules:
        yield "Modules", partial(modules_stage, drawn)
    if plan.joint:
        yield "Both tables as wholes", partial(joint_stage, drawn)
    if plan.negative_controls or inputs.controls:
        yield "Negative controls", partial(control_stage, drawn, inputs.controls)
    if inputs.second is not None:
        within = wanted.first.within
        stage = partial(
            replication_stage, drawn, inputs.second, volume=wanted.volume, within=within
        )
        yield "Replication", stage


def _drawn(inputs: MapInputsRead, settings: MapSettings) -> Drawn:
    sides, sets = inputs.first, inputs.gene_sets
    features, genes = sides.features.shape[1], sides.genes.shape[1]
    get_logger(__name__).info(
        "%d features against %d genes and %d gene sets in %d patients, %d permutations",
        features, genes, len(sets), len(sides.features), settings.permutations,
    )  # fmt: skip
    found = associate(
        sides.features,
        sides.genes,
        gene_sets=sets,
        covariates=inputs.covariates,
        volume=inputs.volume,
        strata=sides.strata,
        settings=settings,
    )
    return Drawn(sides, sets, settings, found)


def _with_sources(drawn: Drawn) -> dict[str, pd.DataFrame]:
    """The map's tables, with the table that each feature comes from."""
    tables = dict(drawn.found.tables)
    best = tables["feature_links"]
    tables["feature_links"] = best.assign(source=best["feature"].map(drawn.sides.sources))
    return tables


def _controls(
    files: Sequence[Path], sides: Sides, *, words: FileWords
) -> tuple[dict[str, pd.DataFrame], tuple[Read, ...]]:
    """Features that say nothing, of the patients of the map in its order."""
    found, reads = {}, []
    patients = sides.features.index
    reader = partial(read_feature_file, among=set(map(str, patients)))
    for name, path in zip(short_names(files), files, strict=True):
        read = read_with(reader, path, words=words)
        table = read.table.values
        lacking = patients.difference(table.index)
        if len(lacking):
            raise StudyError(
                f"{name}: expected control features of all {len(patients)} patients of the map; "
                f"found {len(lacking)} without. Extract them too, or leave these patients out."
            )
        found[name] = table.loc[patients]
        reads.append(read)
    return found, tuple(reads)


def _explained(name: str, sides: Sides) -> str:
    """Table of features to explain, as the sides call it."""
    known = list(dict.fromkeys(sides.sources))
    short = {each.partition(".")[0]: each for each in known} | {each: each for each in known}
    asked = name if name in short else Path(name).name
    if asked not in short:
        raise UnknownNameError("table of features to explain", name, short)
    if len(known) < 2:
        raise StudyError(
            f"explain: expected another table of features beside {asked}; found none. Give both "
            "as tables of features."
        )
    return short[asked]


def _hashes(cohorts: Sequence[Sides], files: Sequence[Path]) -> dict[str, str]:
    """Hash of each file by a name of its own."""
    found: dict[str, str] = {}
    named = [(name, digest) for each in cohorts for name, digest in each.hashes.items()]
    named += [(name, hash_file(path)) for name, path in zip(short_names(files), files, strict=True)]
    for name, digest in named:
        other = found.get(name, digest) != digest
        number = 2 + sum(each.startswith(f"{name} (") for each in found)
        found[f"{name} ({number})" if other else name] = digest
    return found


def _results(
    both: Sequence[Sides],
    findings: Findings,
    caught: Sequence[str],
    *,
    provenance: Provenance,
) -> Results:
    cohorts = [each.cohort for each in both if each.cohort is not None]
    notes = findings.notes + tuple(("warning", text) for text in caught)
    return Results(
        study="map",
        cohorts=tuple(each.name for each in both),
        verdict=conclusion(findings.tables, caution=both[0].caution),
        findings=replace(findings, notes=without_identities(dict.fromkeys(notes), cohorts)),
        provenance=provenance,
        simulated=tuple(each.id for each in cohorts if each.simulated),
    )
