"""Strict models for everything that is read from YAML or JSON.

Every file a user writes passes through :func:`parse`: an unknown word is an error that names near
matches, a wrong type says where it stands. YAML is data, so tags that build objects are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

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
        lines = [f"  {_explain(model, problem)}" for problem in error.errors(include_url=False)]
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


def _explain(model: type[BaseModel], problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        word = str(problem["loc"][-1])
        known = sorted({field for fields in _fields_at(model, problem["loc"]) for field in fields})
        near = near_matches(word, known)
        hint = f"did you mean {', '.join(near)}?" if near else f"known here: {', '.join(known)}."
        return f"{place}: unknown word; {hint}"
    if problem["type"] == "missing":
        return f"{place}: expected a value; found none. Add it."
    found = repr(problem["input"])[:SHOWN]
    if problem["type"] in EXPECTED:
        wanted = EXPECTED[problem["type"]].format(**problem.get("ctx", {}))
        return f"{place}: expected {wanted}; found {found}."
    said = str(problem["msg"]).removeprefix("Value error, ")
    # A rule about several fields names what it found; the whole record would drown it.
    return f"{place}: {said}; found {found}." if place else f"{said}."


def _fields_at(model: type[BaseModel], location: tuple[Any, ...]) -> Iterator[tuple[str, ...]]:
    """Field names that are legal where the unknown word stands."""
    models: list[type[BaseModel]] = [model]
    for part in location[:-1]:
        nested = [
            inner
            for current in models
            if part in current.model_fields
            for inner in _models_in(current.model_fields[part].annotation)
        ]
        models = nested or models
    for current in models:
        yield tuple(field.alias or name for name, field in current.model_fields.items())


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
