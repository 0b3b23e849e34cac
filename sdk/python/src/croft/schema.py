"""Schemas: those of CRDs out of models, and values as models, with the place of what is wrong."""

import json
from typing import Any, Dict, Iterable, List, Optional, Tuple, Type, TypeVar

from pydantic import BaseModel, ValidationError

from .contract import Failure, Json, Problem
from .halt import Invalid, escaped

Value = TypeVar("Value", bound=BaseModel)

NEVER = ("$ref", "definitions", "dependencies", "patternProperties")


def schema_of(model: Type[BaseModel], at: str, faults: List[str]) -> Json:
    """The schema of a CRD out of a model. What no CRD may have is added to `faults`."""
    # A copy: pydantic keeps what it has given.
    schema = dict(model.schema(by_alias=True))
    definitions = schema.pop("definitions", {})
    return _plain(schema, definitions, at, (), faults)


def _plain(schema: Json, definitions: Json, at: str, path: Tuple[str, ...], faults: List[str]) -> Json:
    """A schema without references and titles, with the words that OpenAPI 3.0 has for it."""
    schema = {word: value for word, value in schema.items() if word != "title"}
    parts = [schema] if "$ref" in schema else schema.get("allOf", [])
    if len(parts) == 1 and "$ref" in parts[0]:
        name = parts[0]["$ref"].rsplit("/", 1)[-1]
        if name in path:
            faults.append(f"the API's field `{at}` holds itself, by way of `{name}`, which no CRD may have")
            return {"type": "object"}
        schema = {**definitions[name], **{word: it for word, it in schema.items() if word not in ("$ref", "allOf")}}
        return _plain(schema, definitions, at, path + (name,), faults)
    for word, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if not isinstance(schema.get(word, True), bool):
            schema[bound], schema[word] = schema[word], True
    if "default" in schema:
        # A default of null says nothing: the server drops it.
        schema["default"] = without_nulls(schema["default"])
    inner = lambda value, at: _plain(value, definitions, at, path, faults)  # noqa: E731
    if isinstance(schema.get("properties"), dict):
        schema["properties"] = {name: inner(it, f"{at}.{name}") for name, it in schema["properties"].items()}
    if isinstance(schema.get("items"), dict):
        schema["items"] = inner(schema["items"], f"{at}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        schema["additionalProperties"] = inner(schema["additionalProperties"], f"{at}.*")
    # What is unknown is pruned by a server, whatever the schema says.
    if schema.get("additionalProperties") is False:
        del schema["additionalProperties"]
    faults.extend(_structural(schema, at))
    return schema


def _structural(schema: Json, at: str) -> Iterable[str]:
    for word in NEVER:
        if word in schema:
            yield f"the API's field `{at}` has `{word}`, which no CRD may have"
    free = ("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields")
    if not isinstance(schema.get("type"), str) and not any(schema.get(word) is True for word in free):
        hint = 'give it a type that says one, or `Field(…, **{"x-kubernetes-preserve-unknown-fields": True})`'
        yield f"the API's field `{at}` has no `type`, so that the schema is not structural: {hint}"


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def form_of(schema: Json) -> Json:
    """What a render needs of a schema: the form of values and their defaults."""
    kept = {word: schema[word] for word in ("type", "required", "default", "nullable") if word in schema}
    if "properties" in schema:
        kept["properties"] = {name: form_of(inner) for name, inner in schema["properties"].items()}
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            kept[word] = form_of(schema[word])
    return kept


def missing(form: Json, spec: Any) -> Json:
    """The fields to fill in, as an object shaped like `spec`.

    A field that is not an object is named also where the instance has one, which stays as it is: so the answer
    does not change when it was filled in. Defaults in elements of lists and in values of maps are the server's
    alone: the contract has no way to name them.
    """
    found: Json = {}
    for name, inner in form.get("properties", {}).items():
        present = spec.get(name) if isinstance(spec, dict) else None
        default = inner.get("default")
        if isinstance(present, dict):
            fields = missing(inner, present)
            if fields:
                found[name] = fields
        elif default is not None and (present is None or not isinstance(default, dict)):
            found[name] = default
    return found


def read_spec(model: Type[Value], form: Json, spec: Any, plural: str) -> Value:
    """An instance's `spec`. `plural` names the resource whose schema says what would be right."""
    problems = list(_check(form, spec, "/spec")) or _parse_problems(model, spec, "/spec")
    if problems:
        for problem in problems:
            problem.hint = _explain(plural, problem.at)
        raise Failure(problems)
    return model.parse_obj(spec)


def read_config(model: Type[Value], config: Any) -> Value:
    """A definition's configuration."""
    form = form_of(schema_of(model, "config", []))
    problems = list(_check(form, config, "/spec/config"))
    unknown = None if problems else _unknown(form, config, "/spec/config")
    if unknown:
        name = unknown.rsplit("/", 1)[-1]
        message = f"the module's configuration has no field `{name}`"
        raise Invalid(unknown, message, code="UnknownField", hint="correct its name, or remove it")
    problems = problems or _parse_problems(model, config, "/spec/config")
    if problems:
        raise Failure(problems)
    return model.parse_obj(config)


def _parse_problems(model: Type[BaseModel], value: Any, at: str) -> List[Problem]:
    """What the model itself finds: its validators, and types that JSON does not have."""
    try:
        model.parse_obj(value)
    except ValidationError as error:
        place = lambda loc: at + "".join(f"/{escaped(part)}" for part in loc if part != "__root__")  # noqa: E731
        return [Problem("InvalidValue", place(one["loc"]), one["msg"]) for one in error.errors()]
    return []


def _check(form: Json, value: Any, at: str) -> Iterable[Problem]:
    """Finds what does not have the form of the schema. pydantic itself would read `3` for a text."""
    if value is None and form.get("nullable"):
        return
    expected = _expected(form.get("type"), value)
    if expected:
        yield Problem("InvalidValue", at, f"invalid type: {_described(value)}, expected {expected}")
    elif isinstance(value, dict):
        for name in form.get("required", []):
            if name not in value:
                yield Problem("MissingField", at, f"`{name}` is required")
        for name in sorted(value):
            inner = form.get("properties", {}).get(name, form.get("additionalProperties"))
            if inner is not None:
                yield from _check(inner, value[name], f"{at}/{escaped(name)}")
    elif isinstance(value, list):
        for i, element in enumerate(value):
            yield from _check(form.get("items", {}), element, f"{at}/{i}")


def _expected(type_: Optional[str], value: Any) -> str:
    """What the schema wants instead of a value, or nothing if that is one."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    types: Dict[str, Tuple[str, bool]] = {
        "object": ("an object", isinstance(value, dict)),
        "array": ("a list", isinstance(value, list)),
        "string": ("a string", isinstance(value, str)),
        "boolean": ("a boolean", isinstance(value, bool)),
        "number": ("a number", is_number),
        "integer": ("an integer", is_number and not isinstance(value, float)),
    }
    name, fits = types.get(type_ or "", ("", True))
    return "" if fits else name


def _described(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean `{json.dumps(value)}`"
    if isinstance(value, (int, float)):
        return f"{'integer' if isinstance(value, int) else 'floating point'} `{value}`"
    if isinstance(value, str):
        return f"string {json.dumps(value, ensure_ascii=False)}"
    return "sequence" if isinstance(value, list) else "map"


def _explain(plural: str, at: str) -> str:
    field = [part for part in at.split("/")[1:] if not part.isdigit()]
    return f"`kubectl explain {'.'.join([plural, *field])}` says what it takes"


def _unknown(form: Json, value: Any, at: str) -> Optional[str]:
    """The place of the first field that a schema does not have."""
    if isinstance(value, list):
        inner = ((form.get("items", {}), element, f"{at}/{i}") for i, element in enumerate(value))
    elif isinstance(value, dict) and isinstance(form.get("additionalProperties"), dict):
        inner = ((form["additionalProperties"], it, f"{at}/{escaped(name)}") for name, it in sorted(value.items()))
    elif isinstance(value, dict) and form.get("type") == "object" and "properties" in form:
        fields = form["properties"]
        for name in sorted(value):
            if name not in fields:
                return f"{at}/{escaped(name)}"
        inner = ((fields[name], it, f"{at}/{escaped(name)}") for name, it in sorted(value.items()))
    else:
        return None
    return next(filter(None, (_unknown(*one) for one in inner)), None)
