"""A plan of a map: how links are measured, which sets are tested, what is drawn beside."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from radiogenomics.core.schema import Record
from radiogenomics.evaluation.association.map import MapSettings
from radiogenomics.evaluation.association.set_limits import SetLimits

Share = Annotated[float, Field(ge=0, le=1)]
# Patients below the usual limit, where the user insists: with fewer nothing is left to count.
FORCED = 6


class MapPlan(Record):
    """How a map is drawn; every default is a choice that a user may overrule.

    Parameters
    ----------
    method
        Ranks or values.
    permutations
        Deals of the patients: family-wise p are not below 1 by one more than these.
    smallest, largest, min_coverage
        Genes of a set that must and may be measured, and their least share of the set.
    weight
        Exponent of the running sum; 1 is that of GSEA.
    alpha
        False discovery rate, and family-wise p, up to which a link counts as found.
    modules, joint, negative_controls
        Whether modules, joint links of the whole tables and controls are computed too.
    """

    method: Literal["spearman", "pearson"] = "spearman"
    permutations: Annotated[int, Field(ge=19)] = 1000
    smallest: Annotated[int, Field(ge=1)] = 10
    largest: Annotated[int, Field(ge=1)] = 500
    min_coverage: Share = 0.5
    weight: Annotated[float, Field(ge=0)] = 1.0
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    modules: bool = True
    joint: bool = True
    negative_controls: bool = True

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.smallest > self.largest:
            raise ValueError(
                f"expected smallest up to largest genes of a set; found {self.smallest} and "
                f"{self.largest}"
            )
        return self

    def settings(self, *, force: bool, seed: int, threads: int) -> MapSettings:
        """Return the settings of the map itself."""
        usual = MapSettings()
        return MapSettings(
            method=self.method,
            permutations=self.permutations,
            alpha=self.alpha,
            limits=SetLimits(self.smallest, self.largest, self.min_coverage),
            weight=self.weight,
            kept=usual.kept._replace(alpha=self.alpha),
            fewest=FORCED if force else usual.fewest,
            seed=seed,
            threads=threads,
        )
