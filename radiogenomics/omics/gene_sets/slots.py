"""Gene sets that have a name here and whose genes the user supplies."""

from __future__ import annotations

from dataclasses import dataclass

from radiogenomics.core.errors import StudyError


@dataclass(frozen=True)
class GeneSetSlot:
    """A place for a gene set that is not shipped.

    Parameters
    ----------
    name
        The recipe word.
    accepts
        Names under which it stands in GMT files.
    supply
        Which file the user must bring, and where it comes from.
    reason
        Why it is not shipped.
    """

    name: str
    accepts: tuple[str, ...]
    supply: str
    reason: str

    def unfilled(self) -> StudyError:
        """The error that says what to supply."""
        stands = f" (in the file: {' or '.join(self.accepts)})" if self.accepts else ""
        return StudyError(
            f"gene set {self.name!r}: expected its genes from you; found none, as it is not "
            f"shipped: {self.reason}. Get {self.supply}{stands}, read it with read_gmt and pass "
            f'the set as supplied={{"{self.name}": ...}}.'
        )


_MSIGDB = "its lists have terms of use of their own"
_UNPUBLISHED = "its genes could not be found in public"

SLOTS = (
    GeneSetSlot(
        "hypoxia_hallmark",
        ("HALLMARK_HYPOXIA",),
        "the GMT of MSigDB's hallmark collection (h.all, gene symbols)",
        _MSIGDB,
    ),
    GeneSetSlot(
        "hypoxia_winter",
        ("WINTER_HYPOXIA_METAGENE",),
        "the GMT of MSigDB's collection of chemical and genetic perturbations (c2.cgp, gene "
        "symbols)",
        _MSIGDB,
    ),
    GeneSetSlot(
        "estimate_stromal",
        ("StromalSignature",),
        "the GMT of the R package estimate (SI_geneset.gmt)",
        "it is part of a package with terms of its own",
    ),
    GeneSetSlot(
        "estimate_immune",
        ("ImmuneSignature",),
        "the GMT of the R package estimate (SI_geneset.gmt)",
        "it is part of a package with terms of its own",
    ),
    GeneSetSlot(
        "immport",
        (),
        "ImmPort's list of immune genes (columns Symbol and Category) as one GMT line of symbols",
        "it is a database with terms of use of its own",
    ),
    GeneSetSlot(
        "lm22",
        (),
        "CIBERSORT's matrix LM22; deconvolution takes the matrix, a score takes a GMT line of its "
        "genes",
        "its licence forbids redistribution",
    ),
    GeneSetSlot(
        "nets",
        (),
        "the genes of neutrophil extracellular traps you mean (lists of 6, 19 and 69 are in use) "
        "as a GMT line",
        _UNPUBLISHED,
    ),
    GeneSetSlot(
        "tace_failure",
        (),
        "the genes of the TACE failure signature (TFS) as a GMT line",
        _UNPUBLISHED,
    ),
)
"""All slots, in the order in which they are listed."""
