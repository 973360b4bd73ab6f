"""Signature: genes with weights and the constants that make one patient scorable alone."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    SchemaError,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.html import card
from radiogenomics.core.immutable import Immutable

FORMAT = 1
DIRECTIONS = ("risk", "benefit", "neutral")


@dataclass(frozen=True, eq=False)
class Signature:
    """A weighted sum of standardised expression values.

    ``score_i = Σ_g weight_g · (x_ig − centre_g) / scale_g``; higher is more of the thing named.
    A signature is *locked* when weights, centre, scale and cut-off are all fixed: then one patient
    is scored without a cohort. The constants hold for one unit and one way of measuring; applied to
    another (counts for TPM, array for sequencing) they give numbers without meaning.

    Parameters
    ----------
    name
        What the score measures.
    genes
        HGNC symbols.
    weights, centre, scale
        One number a gene, in the order of ``genes``; centre and scale in the unit of expression.
    cutoff
        Scores above it are ``"high"``.
    direction
        ``"risk"`` when higher is worse, ``"benefit"`` when higher is better, else ``"neutral"``.
    unit
        Unit of expression that the constants belong to.
    source
        Where the constants come from.

    Raises
    ------
    SchemaError
        Genes repeat, or a constant is no finite number, or there is not one a gene, or a scale is
        not positive.
    UnknownNameError
        The direction is none of the three.

    Examples
    --------
    >>> two = Signature(
    ...     "IRS", ("KPNA2", "SMG5"), weights=(1.0, 2.0), centre=(4.0, 3.0), scale=(2.0, 1.0)
    ... )
    >>> two.score(pd.DataFrame({"KPNA2": [6.0], "SMG5": [3.5]}, index=["P1"]))
    P1    2.0
    Name: IRS, dtype: float64
    """

    name: str
    genes: tuple[str, ...]
    weights: tuple[float, ...] | None = None
    centre: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    cutoff: float | None = None
    direction: str = "neutral"
    unit: str = "not stated"
    source: str = "not stated"

    def __post_init__(self) -> None:
        """Check the constants and keep them as tuples of Python numbers."""
        genes = () if isinstance(self.genes, str) else tuple(self.genes)
        if not genes or len(set(genes)) != len(genes) or not all(isinstance(g, str) for g in genes):
            raise SchemaError(
                f"signature {self.name}: expected a list of distinct gene symbols; found "
                f"{self.genes!r}. List each gene once."
            )
        object.__setattr__(self, "genes", genes)
        for what in ("weights", "centre", "scale"):
            constants = getattr(self, what)
            if constants is not None:
                numbers = self._finite(constants, f"{len(genes)} finite {what}, one a gene")
                if len(numbers) != len(genes):
                    raise SchemaError(
                        f"signature {self.name}: expected {len(genes)} finite {what}, one a gene; "
                        f"found {len(numbers)}. Give one for each of {short_list(genes)}."
                    )
                object.__setattr__(self, what, numbers)
        if self.cutoff is not None:
            (cutoff,) = self._finite((self.cutoff,), "a finite cut-off")
            object.__setattr__(self, "cutoff", cutoff)
        if self.scale is not None and min(self.scale) <= 0:
            raise SchemaError(
                f"signature {self.name}: expected a positive scale for each gene; found "
                f"{self.scale}. Leave out genes that do not vary."
            )
        if self.direction not in DIRECTIONS:
            raise UnknownNameError("direction", self.direction, DIRECTIONS)

    def _finite(self, constants: Any, expected: str) -> tuple[float, ...]:
        try:
            numbers = tuple(float(constant) for constant in constants)
        except (TypeError, ValueError, OverflowError):
            numbers = (math.nan,)
        if isinstance(constants, str) or not all(map(math.isfinite, numbers)):
            raise SchemaError(
                f"signature {self.name}: expected {expected}; found {constants!r}. "
                "Correct the number, or leave all open (None) to be learnt."
            )
        return numbers

    @property
    def locked(self) -> bool:
        """True when every constant is fixed."""
        constants = (self.weights, self.centre, self.scale, self.cutoff)
        return all(constant is not None for constant in constants)

    def score(self, expression: pd.DataFrame) -> pd.Series[float]:
        """Score patients × genes expression, each patient on their own.

        Parameters
        ----------
        expression
            Patients × genes in ``unit``; genes that are not in the signature are ignored.

        Returns
        -------
        pandas.Series
            One score a patient; higher is more of the thing named.

        Raises
        ------
        StudyError
            Weights, centre or scale are not fixed.
        UnknownNameError
            A gene is absent from the columns.
        AlignmentError
            A gene stands in several columns.
        DataError
            A value of a signature gene is missing or infinite.
        """
        if self.weights is None or self.centre is None or self.scale is None:
            raise StudyError(
                f"signature {self.name}: expected fixed weights, centre and scale; found some "
                "open. Fit it on a training cohort first."
            )
        for gene in self.genes:
            if gene not in expression.columns:
                raise UnknownNameError("gene in the expression matrix", gene, expression.columns)
        frame = expression[list(self.genes)]
        if frame.shape[1] != len(self.genes):
            doubled = frame.columns[frame.columns.duplicated()].unique()
            raise AlignmentError(
                f"signature {self.name}: expected one column a gene; found several of "
                f"{short_list(doubled)}. Choose one or aggregate them."
            )
        values = frame.to_numpy(dtype=float, na_value=np.nan)
        empty = ~np.isfinite(values).all(axis=1)
        if empty.any():
            raise DataError(
                f"signature {self.name}: expected all genes measured; found {int(empty.sum())} "
                f"patients with missing or infinite values "
                f"({short_list(expression.index[empty])}). Impute or leave them out."
            )
        standard = (values - np.asarray(self.centre)) / np.asarray(self.scale)
        return pd.Series(
            standard @ np.asarray(self.weights), index=expression.index, name=self.name
        )

    def classify(self, scores: pd.Series[float]) -> pd.Series[bool]:
        """True (high) where the score exceeds the cut-off; a score equal to it is low.

        Raises
        ------
        StudyError
            No cut-off is fixed.
        DataError
            A score is missing: it is neither high nor low.
        """
        if self.cutoff is None:
            raise StudyError(
                f"signature {self.name}: expected a fixed cut-off; found none. Learn one on "
                "training data."
            )
        empty = scores.isna()
        if empty.any():
            raise DataError(
                f"signature {self.name}: expected a score for each patient; found "
                f"{int(empty.sum())} missing ({short_list(scores.index[empty])}). "
                "Leave these patients out."
            )
        return (scores > self.cutoff).rename(f"{self.name} high")

    def to_json(self) -> str:
        """Write as readable JSON; :meth:`from_json` gives the same signature back."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps({"format": FORMAT, **values}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Signature:
        """Read a signature.

        Raises
        ------
        SchemaError
            The text is not JSON, is of another format, lacks name or genes, has an unknown field or
            constants that are no numbers.
        """
        try:
            found: object = json.loads(text)
        except json.JSONDecodeError as error:
            raise SchemaError(
                f"expected a signature as JSON; found text that is not ({error}). "
                "Write it with to_json."
            ) from None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise SchemaError(
                f"expected a signature of format {FORMAT}; found another. Write it again."
            )
        values: dict[str, Any] = {key: found[key] for key in found if key != "format"}
        strangers = sorted(set(values) - {field.name for field in fields(cls)})
        absent = [name for name in ("name", "genes") if name not in values]
        if strangers or absent:
            raise SchemaError(
                "signature: expected the fields of format 1, name and genes among them; found "
                f"unknown {short_list(strangers) or 'none'}, absent {short_list(absent) or 'none'}"
                ". Correct the file."
            )
        for name in ("name", "direction", "unit", "source"):
            if not isinstance(values.get(name, ""), str):
                raise SchemaError(
                    f"signature: expected {name} as text; found {values[name]!r}. Correct the file."
                )
        return cls(**values)

    def _repr_html_(self) -> str:
        constants = {
            what: getattr(self, what) or [None] * len(self.genes)
            for what in ("weights", "centre", "scale")
        }
        facts = {
            "locked": self.locked,
            "cut-off": self.cutoff,
            "direction": self.direction,
            "unit": self.unit,
            "source": self.source,
        }
        table = pd.DataFrame(constants, index=pd.Index(self.genes, name="gene"))
        return card(f"Signature {self.name}", facts, table)


@dataclass(frozen=True, eq=False)
class SignatureSet(Immutable):
    """Signatures by name; iterating gives the signatures.

    Parameters
    ----------
    signatures
        Name → Signature.
    """

    signatures: Mapping[str, Signature]

    def __post_init__(self) -> None:
        """Freeze the mapping."""
        self._freeze("signatures")

    def __getitem__(self, name: str) -> Signature:
        """Return a signature by name; UnknownNameError lists near matches."""
        if name not in self.signatures:
            raise UnknownNameError("signature", name, self.signatures)
        return self.signatures[name]

    def __iter__(self) -> Iterator[Signature]:
        """Go through the signatures in order."""
        return iter(self.signatures.values())

    def __len__(self) -> int:
        """Count the signatures."""
        return len(self.signatures)

    def _repr_html_(self) -> str:
        rows = [(s.name, len(s.genes), s.locked, s.source) for s in self]
        table = pd.DataFrame(rows, columns=["signature", "genes", "locked", "source"])
        return card(f"SignatureSet of {len(self)}", {}, table.set_index("signature"))
