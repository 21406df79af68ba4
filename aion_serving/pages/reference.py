"""The OpenAPI description as a page: what each call takes and returns."""

import json
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

_METHODS = ("get", "post", "put", "patch", "delete")
_MULTIPART = "multipart/form-data"
_markdown = MarkdownIt("zero").enable(["backticks", "list", "emphasis"])


@dataclass(slots=True)
class Field:
    name: str
    type: str
    required: bool
    meaning: Markup
    where: str = "body"  # path | query | body | file
    value: str = ""


@dataclass(slots=True)
class Call:
    """`example` is a JSON body to try; "" where the call takes none or a form."""

    anchor: str
    method: str
    path: str
    summary: str
    description: Markup
    parameters: list[Field]
    body: list[Field]
    is_form: bool
    example: str
    responses: list[tuple[str, str, list[Field]]]


@dataclass(slots=True)
class Group:
    name: str
    description: str
    calls: list[Call] = field(default_factory=list)


def reference_groups(description: dict[str, Any]) -> list[Group]:
    """The calls by tag, in the order of the description."""
    groups = {tag["name"]: Group(tag["name"], tag.get("description", "")) for tag in description.get("tags", ())}
    for path, methods in description["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                groups[operation["tags"][0]].calls.append(_call(description, path, method, operation))
    return list(groups.values())


def _call(description: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Call:
    content = operation.get("requestBody", {}).get("content", {})
    is_form = _MULTIPART in content
    schema = _schema_of(content)
    body = _fields(description, schema)
    return Call(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=_rendered(operation.get("description", "")),
        parameters=[_parameter(description, item) for item in operation.get("parameters", ())],
        body=body,
        is_form=is_form,
        example=_example(description, schema) if content and not is_form else "",
        responses=[_response(description, status, item) for status, item in operation.get("responses", {}).items()],
    )


def _parameter(description: dict[str, Any], item: dict[str, Any]) -> Field:
    schema = item.get("schema", {})
    return Field(
        name=item["name"],
        type=_type_name(description, schema),
        required=bool(item.get("required")),
        meaning=_rendered(item.get("description", "")),
        where=item["in"],
        value="" if schema.get("default") is None else str(schema["default"]),
    )


def _response(description: dict[str, Any], status: str, item: dict[str, Any]) -> tuple[str, str, list[Field]]:
    schema = _schema_of(item.get("content", {}))
    return status, item.get("description", ""), _fields(description, schema)


def _fields(description: dict[str, Any], schema: dict[str, Any]) -> list[Field]:
    resolved = _resolve(description, schema)
    required = set(resolved.get("required", ()))
    fields = []
    for name, item in resolved.get("properties", {}).items():
        is_file = "contentMediaType" in item or item.get("format") == "binary"
        says = item.get("description") or _resolve(description, item).get("description", "")
        fields.append(
            Field(name, _type_name(description, item), name in required, _rendered(says), "file" if is_file else "body")
        )
    return fields


def _schema_of(content: dict[str, Any]) -> dict[str, Any]:
    """Schema of the first media type. Every call has at most one."""
    for media in content.values():
        return dict(media.get("schema", {}))
    return {}


def _resolve(description: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _type_name(description: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " | ".join(_type_name(description, item) for item in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"{_type_name(description, schema.get('items', {}))}[]"
    if "contentMediaType" in schema:
        return "file"
    return str(schema.get("format") or schema.get("type") or "object")


def _example(description: dict[str, Any], schema: dict[str, Any]) -> str:
    resolved = _resolve(description, schema)
    value = {}
    for name, item in resolved.get("properties", {}).items():
        if name in resolved.get("required", ()) or "examples" in item:
            placeholder: Any = [] if item.get("type") == "array" else (item.get("enum") or [""])[0]
            value[name] = (item.get("examples") or [placeholder])[0]
    return json.dumps(value, ensure_ascii=False, indent=2)


def _rendered(text: str) -> Markup:
    return Markup(_markdown.render(text))
