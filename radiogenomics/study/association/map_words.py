"""What a map says of itself: who is in it, what was asked, and its verdict in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import yaml

from radiogenomics.evaluation.association.controls import AS_IS, MATCHED
from radiogenomics.evaluation.association.map import (
    CONTRASTS,
    GENES,
    RUNNING_SUMS,
    MapSettings,
)
from radiogenomics.study.association.plan import MapPlan
from radiogenomics.study.association.sides import Sides, SidesWanted
from radiogenomics.study.findings import Findings
from radiogenomics.study.plan import planned_settings

QUESTION = "Which image features go with which genes and pathways, and which only seem to?"
# What the cohorts of a map are there for, in order.
ROLES = ("mapped", "replication")
KINDS: Mapping[str, str] = MappingProxyType(
    {
        GENES: "|rho| with a gene",
        RUNNING_SUMS: "|NES| of a gene set",
        CONTRASTS: "|rho| with the genes of a set",
    }
)
# Tables and columns in which the strongest link of each kind has its names.
_NAMED = MappingProxyType(
    {
        GENES: ("links", "gene", "rho"),
        RUNNING_SUMS: ("set_links", "set", "nes"),
        CONTRASTS: ("set_links", "set", "contrast_rho"),
    }
)
_SAME = 1e-9


def described(cohorts: Sequence[Sides], asked: Mapping[str, object], *, plan: MapPlan) -> Findings:
    """Patients of each table, what was asked, and what was taken for granted."""
    flow = pd.concat(
        [
            each.counts.assign(cohort=each.name, kind=kind)
            for each, kind in zip(cohorts, ROLES, strict=False)
        ],
        ignore_index=True,
    )
    flow["events"] = pd.Series(pd.NA, index=flow.index, dtype="Int64")
    notes = tuple(("info", note) for each in cohorts for note in each.notes)
    settings = planned_settings(asked)
    usual = set(type(plan).model_fields) - plan.model_fields_set
    settings.loc[settings["setting"].isin(usual), "provenance"] = "default"
    return Findings(tables={"cohort_flow": flow, "settings": settings}, notes=notes)


def within_reach(kinds: int, settings: MapSettings) -> tuple[tuple[str, str], ...]:
    """A warning where so few permutations could not find anything.

    Examples
    --------
    >>> within_reach(3, MapSettings(permutations=99))
    ()
    """
    smallest = kinds / (1 + settings.permutations)
    if smallest <= settings.alpha:
        return ()
    needed = round(kinds / settings.alpha) - 1
    text = (
        f"With {settings.permutations} permutations p cannot go below {smallest:.2g} over {kinds} "
        f"kinds of link, so that nothing could be found: {needed} or more are needed, and 1000 "
        "are usual"
    )
    return (("warning", text),)


def caution_notes(caution: str) -> tuple[tuple[str, str], ...]:
    """The warning of what was not taken out, if anything was not."""
    return (("warning", caution[:1].upper() + caution[1:]),) if caution else ()


def conclusion(tables: Mapping[str, pd.DataFrame], *, caution: str = "") -> str:
    """One sentence of what stands out, by the family-wise p that counts the kinds of link too.

    ``caution`` is what could make links and was not taken out; it follows what was found.
    """
    summary = tables["map_summary"]
    rows = summary[summary["kind"].isin(KINDS)]
    found = rows[rows["p_map"] <= MapSettings().alpha]
    many = len(rows)
    said = []
    for row in (found if len(found) else rows).to_dict("records"):
        whose = _whose(tables, row["kind"], row["strongest"]) if len(found) else ""
        kinds = f", {row['p_map']:.2g} over {many} kinds of link" if many > 1 else ""
        said.append(
            f"{KINDS[row['kind']]} {row['strongest']:.2f}{whose}, where permuted patients reach "
            f"{row['chance_low']:.2f} to {row['chance_high']:.2f} somewhere (family-wise p "
            f"{row['p_family']:.2g}{kinds})"
        )
    n, features = rows["n"].iloc[0], rows["features"].iloc[0]
    targets = "genes or gene sets" if many > 1 else "genes"
    if found.empty:
        return (
            f"no link of {_counted(features)} with {targets} in {n} patients is distinguishable "
            f"from chance. The strongest: {'; '.join(said)}"
        )
    whole = "1 image feature goes" if features == 1 else f"some of {_counted(features)} go"
    return (
        f"{whole} with {targets} in {n} patients beyond chance: {'; '.join(said)}. "
        f"{f'But {caution}. ' if caution else ''}{_matched(tables.get('controls'))}"
        f"{_elsewhere(tables.get('replication_summary'))}"
    )


def _matched(controls: pd.DataFrame | None) -> str:
    """Say where random gene sets of like correlation are found as often as those asked for."""
    if controls is None or MATCHED not in set(controls["control"]):
        return ""
    found = controls.set_index("control")["sets_found"]
    if not 0 < found[AS_IS] <= found[MATCHED]:
        return ""
    return (
        f"Random gene sets of like correlation are found as often ({found[MATCHED]:.0f} links on "
        f"average, against {found[AS_IS]:.0f}), so that the links speak of no pathway. "
    )


def _elsewhere(summary: pd.DataFrame | None) -> str:
    """What became of the links in a second cohort."""
    if summary is None:
        return "Whether the links hold elsewhere only a second cohort tells"
    row = summary.iloc[0]
    return (
        f"Of {row['found_first']} links with a false discovery rate of at most 0.05 that could be "
        f"tried in {row['cohort']}, {row['found_again']} have one there too, in {row['n']} patients"
    )


def _counted(features: int) -> str:
    return "1 image feature" if features == 1 else f"{features} image features"


def _whose(tables: Mapping[str, pd.DataFrame], kind: str, strongest: float) -> str:
    """Name the strongest pair of a kind, where its table kept it."""
    name, target, value = _NAMED[kind]
    table = tables[name]
    best = table.iloc[int(table[value].abs().argmax())]
    if abs(abs(best[value]) - strongest) > _SAME:
        return ""
    return f" ({best['feature']} with {best[target]})"


def recipe(
    cohorts: Sequence[SidesWanted | None], asked: Mapping[str, object], *, plan: MapPlan
) -> str:
    """What was asked, as YAML: names of files, and no folder of this machine."""
    named = [None if each is None else _named(each) for each in cohorts]
    whole = {"question": QUESTION, **dict(zip(("first", "second"), named, strict=True)), **asked}
    return yaml.safe_dump(whole | {"plan": plan.model_dump()}, sort_keys=False, allow_unicode=True)


def _named(sides: SidesWanted) -> dict[str, object]:
    return {
        "cohort": sides.cohort and Path(sides.cohort).name,
        "features": file_names(sides.features),
        "expression": file_names(sides.expression),
        "covariates": file_names(sides.covariates),
        "within": sides.within,
        "id": sides.words.id,
        "drop": list(sides.words.drop),
    }


def file_names(paths: Sequence[str | Path]) -> list[str]:
    """Names without folders.

    Examples
    --------
    >>> file_names(["tables/radiomics.csv", "purity"])
    ['radiomics.csv', 'purity']
    """
    return [Path(path).name for path in paths]
