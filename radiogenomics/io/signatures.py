"""Signatures as JSON files."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from radiogenomics.core.errors import MissingFileError, SchemaError
from radiogenomics.core.signature import Signature


def read_signature(path: str | Path) -> Signature:
    """Read a signature.

    Raises
    ------
    MissingFileError
        There is no such file.
    SchemaError
        It is no signature, or one with impossible constants.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"expected a signature at {path}; found none. Check the path.")
    try:
        return Signature.from_json(path.read_text(encoding="utf-8"))
    except (TypeError, UnicodeDecodeError) as error:
        raise SchemaError(
            f"{path.name}: expected a signature as JSON; found something else ({error}). "
            "Write it again with write_signature."
        ) from None


def write_signature(signature: Signature, path: str | Path) -> Path:
    """Write a signature; the file appears whole or not at all, an earlier one is replaced.

    Raises
    ------
    MissingFileError
        The folder does not exist.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise MissingFileError(
            f"expected a folder at {path.parent}; found none. Make it first, or correct the path."
        )
    staging = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        staging.write_text(signature.to_json() + "\n", encoding="utf-8", newline="\n")
        os.replace(staging, path)
    finally:
        staging.unlink(missing_ok=True)
    return path
