"""Structures and segments: chosen by number or by name."""

from __future__ import annotations

from collections.abc import Mapping

from radiogenomics.core.errors import DataError, UnknownNameError, short_list


def choose_named(
    known: Mapping[int, str], wanted: str | int | None, *, kind: str, name: str
) -> int:
    """Number of the structure that is wanted, or of the only one.

    Parameters
    ----------
    known
        Number → name.
    wanted
        Name (upper and lower case are the same where that leaves one), or number, also as text.
    kind, name
        Of what, and of the file, for messages.

    Raises
    ------
    DataError
        There is none, or several and none or an ambiguous name was given.
    UnknownNameError
        There is no such structure; near matches are listed.

    Examples
    --------
    >>> choose_named({1: "Liver", 2: "GTV-1"}, "gtv-1", kind="structure", name="rs.dcm")
    2
    """
    listed = short_list((f"{number}: {label}" for number, label in known.items()), limit=12)
    if not known:
        raise DataError(f"{name}: expected a {kind}; found none. Export the regions again.")
    if wanted is None:
        if len(known) > 1:
            raise DataError(
                f"{name}: expected the {kind} to read, as there are {len(known)}; found no choice. "
                f"Name one (roi): {listed}."
            )
        return next(iter(known))
    text = str(wanted)
    for same in (
        [number for number, label in known.items() if label == text],
        [number for number, label in known.items() if label.casefold() == text.casefold()],
        [number for number in known if str(number) == text],
    ):
        if len(same) == 1:
            return same[0]
        if same:
            raise DataError(
                f"{name}: expected one {kind} of that name; found {len(same)}. "
                f"Give its number (roi): {listed}."
            )
    raise UnknownNameError(f"{kind} in {name}", text, known.values())
