"""Strict models for everything that is read from YAML or JSON.

Every file a user writes passes through :func:`parse`: an unknown word is an error that names near
matches, a wrong type says where it stands. YAML is data, so tags that build objects are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from radiogenomics.core.errors import MissingFileError, SchemaError, near_matches


class Record(BaseModel):
    """Base of all schemas: frozen, and an unknown field is an error.

    Examples
    --------
    >>> class Table(Record):
    ...     unit: str
    >>> parse(Table, {"unit": "TPM", "orientatoin": "rows"}, where="manifest")
    Traceback (most recent call last):
    radiogenomics.core.errors.SchemaError: manifest: 1 problem(s)
      orientatoin: unknown word; known here: unit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


RecordT = TypeVar("RecordT", bound=Record)
SHOWN = 80
EXPECTED = MappingProxyType(
    {
        "int_parsing": "a whole number",
        "int_type": "a whole number",
        "int_from_float": "a whole number",
        "float_parsing": "a number",
        "float_type": "a number",
        "finite_number": "a finite number",
        "string_type": "text",
        "string_pattern_mismatch": "text of the pattern {pattern}",
        "string_too_long": "at most {max_length} letters",
        "bool_parsing": "true or false",
        "bool_type": "true or false",
        "tuple_type": "a list",
        "list_type": "a list",
        "dict_type": "named fields",
        "mapping_type": "named fields",
        "model_type": "named fields",
        "model_attributes_type": "named fields",
        "too_short": "at least {min_length} entries",
        "too_long": "at most {max_length} entries",
        "greater_than": "a number above {gt}",
        "greater_than_equal": "at least {ge}",
        "less_than": "a number below {lt}",
        "less_than_equal": "at most {le}",
        "literal_error": "{expected}",
    }
)
"""Type of a problem, as pydantic names it → what was expected, in words of ours."""


def read_yaml(path: Path) -> Mapping[str, Any]:
    """Read a YAML mapping as plain data.

    Raises
    ------
    MissingFileError
        There is no such file.
    SchemaError
        The file is not YAML, holds an object tag, says a word twice, or is not a mapping.
    """
    if not path.is_file():
        raise MissingFileError(f"expected a YAML file at {path}; found none. Check the path.")
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.safe_load(text)
        repeated = sorted(_repeated_words(yaml.compose(text, Loader=yaml.SafeLoader)))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SchemaError(
            f"{path.name}: expected plain YAML data; found something else ({error}). "
            "Object tags and binary content are refused."
        ) from None
    if not isinstance(content, dict):
        found = "nothing" if content is None else type(content).__name__
        raise SchemaError(
            f"{path.name}: expected a mapping of fields; found {found}. Write 'field: value' lines."
        )
    if repeated:
        raise SchemaError(
            f"{path.name}: expected each word once in a mapping; found again: "
            f"{'; '.join(repeated)}. Keep one, as the last would silently win."
        )
    return content


def parse(model: type[RecordT], content: Mapping[str, Any], *, where: str) -> RecordT:
    """Check ``content`` against ``model`` and return the frozen record.

    Parameters
    ----------
    model
        What is expected.
    content
        Plain data, as :func:`read_yaml` gives it.
    where
        Name of the file, for the message.

    Raises
    ------
    SchemaError
        Lists every problem at once, each with its place, what was expected and what was found.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = [f"  {line}" for line in _problems(model, error)]
        raise SchemaError(f"{where}: {len(lines)} problem(s)\n" + "\n".join(lines)) from None


def _repeated_words(root: yaml.Node | None) -> Iterator[str]:
    """Keys that stand twice in one mapping, with their lines; aliased nodes are read once."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        if isinstance(node, yaml.MappingNode):
            words: set[str] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in words:
                        yield f"{key.value} (line {key.start_mark.line + 1})"
                    words.add(key.value)
                waiting.append(value)


def _problems(model: type[BaseModel], error: ValidationError) -> list[str]:
    """Each problem in a line; what else a value might have been joins the line about it."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for problem in error.errors(include_url=False):
        place, there = _walk(model, problem["loc"], word=problem["type"] == "extra_forbidden")
        if problem["type"] in EXPECTED:
            kind = EXPECTED[problem["type"]].format(**problem.get("ctx", {}))
            found = repr(problem["input"])[:SHOWN]
            wanted.setdefault((f"{place}: expected", f"; found {found}."), []).append(kind)
        else:
            wanted[_explain(place, problem, there), ""] = []
    return [
        f"{before} {' or '.join(dict.fromkeys(kinds))}{behind}" if kinds else before
        for (before, behind), kinds in wanted.items()
    ]


def _explain(place: str, problem: Any, there: list[Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return f"{place}: unknown word; {_near(str(problem['loc'][-1]), _fields(there))}"
    if problem["type"] == "missing":
        return f"{place}: expected a value; found none. Add it."
    if problem["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return _explain_tag(place, problem, there)
    found = repr(problem["input"])[:SHOWN]
    said = str(problem["msg"]).removeprefix("Value error, ")
    # A rule about several fields names what it found; the whole record would drown it.
    return f"{place}: {said}; found {found}." if place else f"{said}."


def _explain_tag(place: str, problem: Any, there: list[Any]) -> str:
    """Of the field that says which record this is: what it may say, and what it says."""
    field = str(problem["ctx"]["discriminator"]).strip("'")
    known = sorted({tag for annotation in there for tag in _tags(annotation)})
    said = problem["ctx"].get("tag")
    if said is not None:
        return f"{place}.{field}: unknown word {said!r}; {_near(said, known)}"
    words = near_matches(field, map(str, problem["input"]))
    found = f"{words[0]!r}, which may be it misspelt. Correct it." if words else "none. Add it."
    return f"{place}.{field}: expected one of {', '.join(known)}; found {found}"


def _near(word: str, known: Iterable[str]) -> str:
    known = sorted(known)
    near = near_matches(word, known)
    return f"did you mean {', '.join(near)}?" if near else f"known here: {', '.join(known)}."


def _walk(
    model: type[BaseModel], location: tuple[Any, ...], *, word: bool
) -> tuple[str, list[Any]]:
    """Place of a problem in the words of the file, and what may stand there.

    Pydantic also names the member of a union that it tried, which no file says: it is left out.
    With ``word`` the last part is a word of the file that is not known, beside those that may
    stand there.
    """
    kept, here = [], [model]
    way = location[:-1] if word else location
    for part in way:
        tagged = [chosen for annotation in here if (chosen := _tags(annotation).get(part))]
        if tagged:
            here = tagged
            continue
        inner = [found for annotation in here for found in _inside(annotation, part)]
        if inner:
            here = inner
            kept.append(str(part))
    return ".".join([*kept, *map(str, location[len(way) :])]), here


def _fields(annotations: list[Any]) -> set[str]:
    """Words that a mapping of such records may hold."""
    return {
        field.alias or name
        for annotation in annotations
        for record in _members(annotation)
        if _is_record(record)
        for name, field in record.model_fields.items()
    }


def _inside(annotation: Any, part: Any) -> Iterator[Any]:
    """What may stand under a word of a record or mapping, or at a position of a list."""
    for member in _members(annotation):
        if _is_record(member):
            for name, field in member.model_fields.items():
                if part in (name, field.alias):
                    yield Annotated[field.annotation, field]
        elif get_origin(member) in (dict, Mapping):
            yield get_args(member)[1]
        elif get_origin(member) in (tuple, list) and isinstance(part, int):
            yield get_args(member)[0]


def _members(annotation: Any) -> Iterator[Any]:
    """An annotation without its wrapping, and each alternative of a union."""
    if get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _tags(annotation: Any) -> dict[Any, type[BaseModel]]:
    """Records of a union by what their discriminating field says; none of anything else."""
    if get_origin(annotation) in (Union, UnionType):
        return {t: r for member in get_args(annotation) for t, r in _tags(member).items()}
    if get_origin(annotation) is not Annotated:
        return {}
    inner, *notes = get_args(annotation)
    fields = {note.discriminator for note in notes if isinstance(note, FieldInfo)} - {None}
    return _tags(inner) | {
        tag: record
        for record in _members(inner)
        if _is_record(record)
        for field in fields & record.model_fields.keys()
        for tag in get_args(record.model_fields[field].annotation)
    }


def _is_record(member: Any) -> bool:
    return isinstance(member, type) and issubclass(member, BaseModel)
