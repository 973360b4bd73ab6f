"""Gene sets as GMT files: a name, a description and symbols a line, parted by tabs."""

from __future__ import annotations

import os
import re
import secrets
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingFileError,
    RadiogenomicsWarning,
    SchemaError,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.gene_set import GeneSet

LARGEST_FILE = 256 * 2**20
"""Bytes; the whole of MSigDB takes about a fifth of it."""
LONGEST_SET = 50_000
"""Genes; more than there are of any kind."""

_REPEATED = ("error", "first")
_MONTH = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DATE = re.compile(rf"\d{{1,2}}-{_MONTH}|{_MONTH}-\d{{2}}")
_ENRICHR = re.compile(r"\S+,-?\d+(\.\d+)?")


def read_gmt(path: str | Path, *, repeated_genes: str = "error") -> dict[str, GeneSet]:
    """Read a GMT file.

    Blank lines, blanks around symbols and empty cells at the end of a line (spreadsheets leave
    them) are passed over. The description becomes the source of the set.

    Parameters
    ----------
    path
        Text in UTF-8, not compressed.
    repeated_genes
        What happens to a gene that a set lists several times: ``"error"``, or ``"first"``, its
        first mention is kept.

    Returns
    -------
    dict
        Name → GeneSet, in file order.

    Raises
    ------
    MissingFileError
        There is no such file.
    DataError
        The file is larger than ``LARGEST_FILE``, or not text.
    SchemaError
        A line has fewer than three cells, an empty one between others, no name, more than
        ``LONGEST_SET`` genes, or weights; or there is no set at all.
    AlignmentError
        A set's name repeats, or a gene within a set where ``repeated_genes`` is ``"error"``.
    UnknownNameError
        ``repeated_genes`` is neither word.

    Warns
    -----
    RadiogenomicsWarning
        A set lists dates, which a spreadsheet made of symbols.
    """
    if repeated_genes not in _REPEATED:
        raise UnknownNameError("way with repeated genes", repeated_genes, _REPEATED)
    path = Path(path)
    sets: dict[str, GeneSet] = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path.name}, line {number}"
        found = _read_line(line, where, repeated_genes)
        if found.name in sets:
            raise AlignmentError(
                f"{where}: expected each set once; found {found.name!r} again. Rename or merge the "
                "two."
            )
        sets[found.name] = found
    if not sets:
        raise SchemaError(
            f"{path.name}: expected at least one gene set; found none. Check that this is the file."
        )
    return sets


def write_gmt(sets: Mapping[str, GeneSet] | Iterable[GeneSet], path: str | Path) -> Path:
    """Write gene sets; the file appears whole or not at all, an earlier one is replaced.

    Parameters
    ----------
    sets
        GeneSets, or name → GeneSet; the name written is the set's own.
    path
        Where to.

    Returns
    -------
    Path
        Where the file is.

    Raises
    ------
    StudyError
        A set has weights or genes that are down: the format cannot hold them.
    SchemaError
        A name, source or gene holds a tab or a line break, or there is no set.
    AlignmentError
        A name repeats.
    MissingFileError
        The folder does not exist.
    """
    path = Path(path)
    given = tuple(sets.values() if isinstance(sets, Mapping) else sets)
    repeated = [name for name, count in Counter(each.name for each in given).items() if count > 1]
    if repeated:
        raise AlignmentError(
            f"{path.name}: expected each set once; found {short_list(repeated)} several times. "
            "Rename them."
        )
    if not given:
        raise SchemaError(f"{path.name}: expected a gene set to write; found none. Add one.")
    text = "".join(_line_of(each) + "\n" for each in given)
    if not path.parent.is_dir():
        raise MissingFileError(
            f"expected a folder at {path.parent}; found none. Make it first, or correct the path."
        )
    staging = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        staging.write_text(text, encoding="utf-8", newline="\n")
        os.replace(staging, path)
    finally:
        staging.unlink(missing_ok=True)
    return path


def _text(path: Path) -> str:
    if not path.is_file():
        raise MissingFileError(f"expected a GMT file at {path}; found none. Check the path.")
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise DataError(
            f"{path.name}: expected at most {LARGEST_FILE:,} bytes of gene sets; found {size:,}. "
            "Keep only the sets you need."
        )
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DataError(
            f"{path.name}: expected text in UTF-8; found something else. Unpack the file, or save "
            "it as text."
        )
    return text


def _read_line(line: str, where: str, repeated_genes: str) -> GeneSet:
    cells = [cell.strip() for cell in line.split("\t")]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) < 3:
        raise SchemaError(
            f"{where}: expected a name, a description and at least one gene, parted by tabs; found "
            f"{_quoted(line)}. Add the genes, drop the empty set, or save the file with tabs."
        )
    name, description, *genes = cells
    if not name or not all(genes):
        empty = genes.count("")
        raise SchemaError(
            f"{where}: expected a name and no empty cell between genes; found name {name!r} and "
            f"{empty} empty. Correct the line."
        )
    if len(genes) > LONGEST_SET:
        raise SchemaError(
            f"{where}: expected at most {LONGEST_SET:,} genes; found {len(genes):,} in {name!r}. "
            "Check that sets stand in lines, not in columns."
        )
    _refuse_strange(genes, f"{where}, {name!r}")
    counts = Counter(genes)
    if len(counts) < len(genes) and repeated_genes == "error":
        repeated = [gene for gene, count in counts.items() if count > 1]
        raise AlignmentError(
            f"{where}, {name!r}: expected each gene once; found {short_list(repeated)} several "
            'times. Correct the list, or read it with repeated_genes="first".'
        )
    return GeneSet(name, tuple(counts), source=description or "not stated")


def _refuse_strange(genes: list[str], where: str) -> None:
    """Weights and dates would pass for genes that nobody measured."""
    weighted = [gene for gene in genes if _ENRICHR.fullmatch(gene)]
    if weighted:
        raise SchemaError(
            f"{where}: expected bare gene symbols; found symbols with weights "
            f"({short_list(weighted)}). Remove the weights, or make a GeneSet that has them."
        )
    dates = [gene for gene in genes if _DATE.fullmatch(gene)]
    if dates:
        warnings.warn(
            f"{where}: expected gene symbols; found dates ({short_list(dates)}), which "
            "spreadsheets make of MARCHF1, SEPTIN2 and the like. They match no gene: restore the "
            "symbols from the source.",
            RadiogenomicsWarning,
            stacklevel=4,
        )


def _line_of(each: GeneSet) -> str:
    if each.weights is not None or each.down:
        raise StudyError(
            f"gene set {each.name}: expected genes alone, as GMT holds nothing else; found weights "
            "or genes that are down. Write up and down as two sets, or keep a Signature as JSON."
        )
    cells = (each.name, each.source, *each.genes)
    broken = [cell for cell in cells if len(cell.splitlines()) != 1 or "\t" in cell]
    if broken:
        raise SchemaError(
            f"gene set {each.name}: expected text without tabs and line breaks; found "
            f"{short_list(map(repr, broken))}. Correct it."
        )
    return "\t".join(cells)


def _quoted(line: str) -> str:
    return repr(line if len(line) <= 60 else line[:57] + "...")
