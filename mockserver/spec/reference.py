"""The vocabulary of x-mock as Markdown, from the descriptions in its JSON Schema.

``python -m mockserver.spec.reference`` prints it.
"""

import json
import sys
from collections.abc import Iterator
from importlib.resources import files
from inspect import getdoc
from typing import Any

import yaml

from mockserver.spec.functions import FUNCTIONS
from mockserver.spec.values import takes

Schema = dict[str, Any]


def reference() -> str:
    """A section of level 3 for each part of the vocabulary that has a title, and one for the functions of ``fill``."""
    text = files("mockserver.spec").joinpath("x-mock.schema.json").read_text("utf-8")
    parts: dict[str, Schema] = json.loads(text)["$defs"]
    sections = [_section(part, parts) for part in parts.values() if "title" in part]
    return "\n\n".join([*sections, _functions()]) + "\n"


def _section(part: Schema, parts: dict[str, Schema]) -> str:
    blocks = [f"### {part['title']}", part["description"]]
    if part.get("examples"):
        written = "\n".join(_in_yaml(example) for example in part["examples"])
        blocks.append(f"```yaml\n{written}\n```")
    words = [line for word in _words(part) for line in _bullet(*word, parts, 0)] + _members(part, 0)
    if words:
        blocks.append("\n".join(words))
    return "\n\n".join(blocks)


def _words(schema: Schema) -> Iterator[tuple[str, Schema, bool]]:
    """The members that a mapping may have, in any of its forms: name, schema, whether it must be there."""
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        yield name, member, name in required
    for branch in ("then", "else"):
        if branch in schema:
            yield from _words(schema[branch])


def _bullet(name: str, schema: Schema, required: bool, parts: dict[str, Schema], depth: int) -> Iterator[str]:
    """A word's line, and below it those of the words and values that it may hold."""
    traits = [_form(schema, parts), "required" if required else ""]
    notes = ", ".join(trait for trait in traits if trait)
    yield f"{'  ' * depth}- `{name}`{f' ({notes})' if notes else ''}: {schema['description']}"
    yield from _members(schema, depth + 1)
    for word in _words(schema):
        yield from _bullet(*word, parts, depth + 1)


def _members(schema: Schema, depth: int) -> list[str]:
    """A line for each value of an enumeration."""
    pairs = zip(schema.get("enum", ()), schema.get("enumDescriptions", ()), strict=True)
    return [f"{'  ' * depth}- `{_in_yaml(value)}`: {meaning}" for value, meaning in pairs]


def _form(schema: Schema, parts: dict[str, Schema]) -> str:
    """What a value looks like, in a few words; "" where the description says it all."""
    if "$ref" in schema:
        return _link(schema["$ref"], parts)
    items = schema.get("items", {})
    if "enum" in items:
        return f"a list of {', '.join(items['enum'])}"
    if "$ref" in items:
        return f"a list, each: {_link(items['$ref'], parts)}"
    if schema.get("type") == "integer":
        bounds = [f"from {schema['minimum']}"] + ([f"to {schema['maximum']}"] if "maximum" in schema else [])
        return f"whole number {' '.join(bounds)}"
    return {"boolean": "`true` or `false`", "object": "mapping"}.get(str(schema.get("type")), "")


def _link(ref: str, parts: dict[str, Schema]) -> str:
    """A link to a part's section; the part's name where it has none."""
    name = ref.rpartition("/")[2]
    title = parts[name].get("title", "").lower()
    return f"[{title}](#{title.replace(' ', '-')})" if title else name


def _in_yaml(value: Any) -> str:
    """A value on one line, as a contract would have it."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
    return text.removesuffix("...\n").strip()


def _functions() -> str:
    lines = ["### Functions", "", "What `call` may name in a fill, and how many values it takes:", ""]
    for name, function in FUNCTIONS.items():
        meaning = (getdoc(function) or "").partition("\n")[0].replace("``", "`")
        lines.append(f"- `{name}` ({takes(function)}): {meaning}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(reference())
