"""The schemas that chosen operations reach, out of a document that has many more, as components with names of ours."""

import re
from pathlib import Path
from typing import Any

import jsonschema_rs

from mockserver.authoring.openapi_file import Found, OpenApiFile
from mockserver.spec.pointer import MISSING

DROPPED = frozenset(
    {"xml", "externalDocs", "discriminator", "deprecated", "example", "readOnly", "writeOnly", "$schema"}
)
DATA_WORDS = frozenset({"examples", "default", "enum", "const"})  # values, even where they look like schemas
NAMED = frozenset(
    {"properties", "patternProperties", "$defs", "dependentSchemas"}
)  # their members have names, not words


def snake(name: str) -> str:
    """A name as contracts write names: ``sendSms``, ``send-sms`` and ``Send SMS`` are ``send_sms``."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    text = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()
    return text if re.match("[a-z]", text) else f"x_{text}" if text else "unnamed"


class Reachable:
    """Copies schemas; what they refer to becomes a component, once."""

    def __init__(self, source: OpenApiFile) -> None:
        self.components: dict[str, Any] = {}
        self.notes: list[str] = []
        self._source = source
        self._names: dict[tuple[Path, str], str] = {}
        self._validators: dict[str, Any] = {}

    def schema(self, node: Any, file: Path) -> Any:
        """A schema as the contract has it: only references within it, no words that nothing here reads."""
        if not isinstance(node, dict):
            return node if isinstance(node, bool) else {}
        ref = node.get("$ref")
        copy = {} if isinstance(ref, str) else self._copy(node, file)
        if isinstance(ref, str):
            name = self._component(ref, file)
            copy = {} if name is None else {"$ref": f"#/components/schemas/{name}"}
        return copy

    def _copy(self, node: dict[str, Any], file: Path) -> dict[str, Any]:
        copy: dict[str, Any] = {}
        for key, value in node.items():
            if key in DROPPED or key.startswith("x-"):
                continue
            if key in NAMED and isinstance(value, dict):
                copy[key] = {name: self.schema(member, file) for name, member in value.items()}
            elif key in DATA_WORDS or not isinstance(value, dict | list):
                copy[key] = value
            elif isinstance(value, list):
                copy[key] = [self.schema(item, file) if isinstance(item, dict) else item for item in value]
            else:
                copy[key] = self.schema(value, file)
        if node.get("example") is not None and "examples" not in copy:
            copy["examples"] = [node["example"]]
        return self._sound(copy)

    def _sound(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema without a word that is none: a pattern of another dialect, an empty list of required members."""
        if isinstance(schema.get("pattern"), str):
            try:
                jsonschema_rs.validator_for({"pattern": schema["pattern"]})
            except (jsonschema_rs.ValidationError, ValueError):
                self.notes.append(f"a pattern of another dialect is left out: {schema.pop('pattern')[:60]}")
        if not isinstance(schema.get("required", []), list):
            del schema["required"]
        if schema.get("type") == "file":
            schema["type"] = "string"
        return schema

    def _component(self, ref: str, file: Path) -> str | None:
        found = self._source.target(ref, file)
        if found.value is MISSING:
            self.notes.append(f"$ref {ref} points at nothing that is here: anything goes there")
            return None
        key = found.file, ref.partition("#")[2]
        if key not in self._names:
            self._names[key] = self._free(snake(ref.rpartition("/")[2].rpartition(".")[2] or found.file.stem))
            self.components[self._names[key]] = {}  # a schema may refer to itself
            self.components[self._names[key]] = self.schema(found.value, found.file)
        return self._names[key]

    def _free(self, name: str) -> str:
        number = 2
        free = name
        while free in self.components:
            free, number = f"{name}_{number}", number + 1
        return free

    def follow(self, node: Any, file: Path) -> Found:
        """What a node of the document leads to."""
        return self._source.follow(Found(node, file))

    def fits(self, value: Any, schema: Any) -> bool:
        """Whether a value fits a schema that was copied; a schema that cannot be compiled fits nothing."""
        whole = {**schema, "components": {"schemas": self.components}} if isinstance(schema, dict) else schema
        try:
            return bool(jsonschema_rs.validator_for(whole, offline=True).is_valid(value))
        except (jsonschema_rs.ValidationError, ValueError):
            return False
