"""Tables of features, expression and covariates from files, whichever way each of them lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.io.feature_files import (
    read_covariate_file,
    read_expression_file,
    read_feature_file,
)
from radiogenomics.io.patient_table import PatientTable


class FileWords(NamedTuple):
    """What was said of all files together; each is asked for what it has of it.

    Attributes
    ----------
    id : str or None
        Column of identifiers.
    drop : tuple of str
        Columns to leave out.
    """

    id: str | None = None
    drop: tuple[str, ...] = ()

    def held_against(self, error: UnknownNameError) -> FileWords:
        """Leave out what a file does not have."""
        if error.name == self.id:
            return self._replace(id=None)
        return self._replace(drop=tuple(name for name in self.drop if name in error.known))

    @property
    def names(self) -> frozenset[str]:
        """All columns that are named."""
        return frozenset(self.drop) | (set() if self.id is None else {self.id})


class Read(NamedTuple):
    """One table, and what of the words its file had.

    Attributes
    ----------
    table : PatientTable
    used : frozenset of str
        Names that it had.
    columns : frozenset of str
        Names that could have been asked for, where one was not there.
    """

    table: PatientTable
    used: frozenset[str]
    columns: frozenset[str] = frozenset()


class SideFiles(NamedTuple):
    """Tables of a side's files.

    Attributes
    ----------
    features, expression : list of Read
        In the order of the files.
    covariates : Read or None
    """

    features: list[Read]
    expression: list[Read]
    covariates: Read | None

    @property
    def reads(self) -> list[Read]:
        """All of them."""
        return [*self.features, *self.expression, *([self.covariates] if self.covariates else [])]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was taken for granted or left out, each once."""
        return tuple(dict.fromkeys(note for read in self.reads for note in read.table.notes))


def read_side_files(
    features: Sequence[str],
    expression: Sequence[str],
    covariates: str | None,
    *,
    words: FileWords,
) -> SideFiles:
    """Read the files of a side; patients that two files share tell which way these lie.

    A column to drop is left out of the covariates only where features and expression do not have
    it: what is no feature may well be a covariate.

    Raises
    ------
    RadiogenomicsError
        A file is not there or cannot be read.
    """
    images = [read_with(read_feature_file, path, words=words) for path in features]
    # Either end of a table may be patients, as long as nothing tells.
    ends = {name for read in images for name in _ends(read)}
    genes = [
        read_with(partial(read_expression_file, among=ends), path, words=words)
        for path in expression
    ]
    patients = {str(name) for read in genes for name in read.table.values.index}
    for at, path in enumerate(features):
        # What a first look took for granted may be certain by now.
        if images[at].table.notes or patients.isdisjoint(images[at].table.values.index):
            images[at] = read_with(partial(read_feature_file, among=patients), path, words=words)
    if covariates is None:
        return SideFiles(images, genes, None)
    used = {name for read in (*images, *genes) for name in read.used}
    left = words._replace(drop=tuple(name for name in words.drop if name not in used))
    return SideFiles(images, genes, read_with(read_covariate_file, covariates, words=left))


def read_with(reader: Callable[..., PatientTable], path: str | Path, *, words: FileWords) -> Read:
    """Read a file by the column of identifiers, and without the columns to drop, that it has."""
    columns: frozenset[str] = frozenset()
    while True:
        try:
            table = reader(path, id=words.id, drop=words.drop)
        except UnknownNameError as error:
            left = words.held_against(error)
            if left == words:
                raise
            words, columns = left, columns | set(error.known)
        else:
            return Read(table, words.names, columns)


def require_used(words: FileWords, reads: Iterable[Read]) -> None:
    """Raise UnknownNameError for a name that no file had.

    Examples
    --------
    >>> require_used(FileWords(), [])
    """
    used: set[str] = set()
    columns: set[str] = set()
    for read in reads:
        used |= read.used
        columns |= read.columns
    for name in words.drop:
        if name not in used:
            raise UnknownNameError("column to drop", name, columns)
    if words.id is not None and words.id not in used:
        raise UnknownNameError("column of identifiers", words.id, columns)


def short_names(paths: Sequence[str | Path]) -> list[str]:
    """Name of each file, with its folder where another file has the same name.

    Examples
    --------
    >>> short_names(["ct/arterial/radiomics.csv", "ct/venous/radiomics.csv", "rna.csv"])
    ['arterial/radiomics.csv', 'venous/radiomics.csv', 'rna.csv']
    """
    names = [Path(path).name for path in paths]
    return [
        name if names.count(name) == 1 else f"{Path(path).resolve().parent.name}/{name}"
        for name, path in zip(names, paths, strict=True)
    ]


def _ends(read: Read) -> list[str]:
    values = read.table.values
    return [*map(str, values.index), *map(str, values.columns)]
