"""Reading a contract document: its members, its references, its x-mock blocks; mistakes become errors with a place."""

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any

import jsonschema_rs

from mockserver.spec.errors import ContractError
from mockserver.spec.evidence import DRAFT
from mockserver.spec.pointer import MISSING, Pointer, escape
from mockserver.spec.source import Source
from mockserver.spec.value_model import Validator
from mockserver.spec.wording import shortened

_SCHEMA_DATA = ("const", "default", "enum", "example", "examples")  # these hold values, even if they look like schemas
ABOUT_REQUESTS = ("/requestBody/", "/parameters/", "/components/schemas/")  # of a document: they say what requests are
MAX_SHOWN_VALUE = 60  # characters of a value in a message
_USABLE_IN_PART = ("answer", "document")  # their readers manage without the members that are required


class Reader:
    """Reads parts of a document. A mistake is added to ``errors``, and reading goes on.

    Where ``is_proven``, the document was read without an error before: what takes long is not looked at again.
    """

    def __init__(self, source: Source, vendor: str, *, is_draft: bool = False, is_proven: bool = False) -> None:
        self.source = source
        self.is_draft = is_draft
        self.is_proven = is_proven
        self.vendor = vendor
        self.document: dict[str, Any] = source.value if isinstance(source.value, dict) else {}
        self.errors: list[ContractError] = list(source.errors)
        self._blocks: dict[tuple[int, str], dict[str, Any]] = {}  # by the container's identity and the kind
        self._misspelt: set[tuple[int, Hashable]] = set()  # members whose key is nearly a known one, and the known one
        self._meant: set[int] = set()  # by identity, what wrong references nearly name
        self._referring: dict[int, Any] = {}  # by identity, parts of schemas whose references all point at something
        self._component_refs: dict[str, frozenset[str]] = {}  # by name of a component, the components it refers to
        self._compiled: dict[str, Validator] = {}  # by reference, of schemas that are nothing else

    def error(self, container: object, message: str, key: Hashable = None) -> None:
        """Add an error at a container or at one of its members."""
        self.errors.append(self._at(container, key, message))

    def misspelt(self, container: object, message: str, key: Hashable, meant: str) -> None:
        """Add an error for a key that is nearly a known one; what stands there is not looked at further."""
        self.error(container, f"{message}; did you mean {meant!r}?", key)
        self._misspelt |= {(id(container), key), (id(container), meant)}

    def _missing(self, container: object, key: str) -> None:
        """Add an error for a member that is not there, unless another key is told to be this one, misspelt."""
        if (id(container), key) not in self._misspelt:
            self.error(container, f"{key!r} is missing")

    def is_broken(self, *parts: str) -> bool:
        """Whether a part of the document has a misspelt key, or a reference to nothing: its pointer has such a text."""
        pointers = (e.pointer for e in self.errors if "did you mean" in e.message or e.pointer.endswith("/$ref"))
        return any(part in pointer for pointer in pointers for part in parts)

    def unfinished(self, container: object, message: str, key: Hashable = None) -> None:
        """Add an error for what is not written yet; a draft is read as if it were."""
        if not self.is_draft:
            self.errors.append(replace(self._at(container, key, message), unfinished=True))

    def _at(self, container: object, key: Hashable, message: str) -> ContractError:
        return self.source.error_at(container, key, message)

    def file_and_line(self, container: object) -> str:
        """Where a container is written, for people: the file's name without its folder, and the line."""
        place = self.source.place(container)
        if self.source.is_made:
            return DRAFT
        return f"{PurePath(place.file or self.source.file).name}:{place.line}"

    def mapping(self, container: dict[str, Any], key: str, *, required: bool = False) -> dict[str, Any]:
        """A member that must be a mapping, its ``$ref`` followed; an empty one if it is absent."""
        value = self.resolve(container, key)
        if value is MISSING:
            if required:
                self._missing(container, key)
            return {}
        if not isinstance(value, dict):
            self.error(container, f"{key!r} must be a mapping", key)
            return {}
        return value

    def items(self, container: dict[str, Any], key: str) -> list[dict[str, Any]]:
        """A member that must be a list of mappings, their ``$ref`` followed; an empty one if it is absent."""
        value = container.get(key, [])
        if not isinstance(value, list):
            self.error(container, f"{key!r} must be a list", key)
            return []
        items = []
        for index, item in enumerate(value):
            resolved = self._follow(value, index, item)
            if isinstance(resolved, dict):
                items.append(resolved)
            elif resolved is not MISSING:
                self.error(value, "must be a mapping", index)
        return items

    def text(self, container: dict[str, Any], key: str) -> str:
        """A member that must be a string and not empty; "" if it is not."""
        value = container.get(key, MISSING)
        if isinstance(value, str) and value:
            return value
        if value is MISSING:
            self._missing(container, key)
        else:
            self.error(container, f"{key!r} must be a string", key)
        return ""

    def resolve(self, container: dict[str, Any], key: str) -> Any:
        """A member, its ``$ref`` followed; ``MISSING`` if there is none."""
        return self._follow(container, key, container.get(key, MISSING))

    def _follow(self, container: object, key: Hashable, value: Any) -> Any:
        for _ in range(32):
            if not isinstance(value, dict) or "$ref" not in value:
                return value
            container, key, value = value, "$ref", self.target(value)
            if value is MISSING:
                return MISSING
        self.error(container, "$ref leads round in a circle", key)
        return MISSING

    def target(self, value: dict[str, Any]) -> Any:
        """What a ``$ref`` points at; an error and ``MISSING`` if that is nothing in this document."""
        ref = value["$ref"]
        if not isinstance(ref, str) or not ref.startswith("#/"):
            self.error(value, "$ref must stay inside this document: #/…", "$ref")
            return MISSING
        target = Pointer.parse(ref[1:]).get(self.document)
        if target is MISSING:
            self.error(value, f"$ref points at nothing: {ref}{self._nearest(ref)}", "$ref")
        return target

    def _nearest(self, ref: str) -> str:
        """The part of the document that a wrong reference probably means; what is in there counts as read."""
        above, name = Pointer(Pointer.parse(ref[1:]).tokens[:-1]), Pointer.parse(ref[1:]).tokens[-1]
        holder = above.get(self.document)
        for near in get_close_matches(name, holder, n=1) if isinstance(holder, dict) else ():
            self._meant.add(id(holder[near]))
            return f"; did you mean #{above}/{escape(near)}?"
        return ""

    def x_mock(self, container: dict[str, Any], kind: str) -> dict[str, Any]:
        """The x-mock block of a container, as far as it is valid; ``kind`` is its part of the vocabulary.

        Members that are not valid are errors. The block is returned without them, so that errors of the rest are found
        too; the document keeps them.
        """
        block = container.get("x-mock", MISSING)
        if block is MISSING:
            return {}
        key = id(container), kind
        if key not in self._blocks:
            self._blocks[key] = self._read_block(container, block, kind)
        return self._blocks[key]

    @staticmethod
    def as_written(container: dict[str, Any]) -> dict[str, Any]:
        """The x-mock block of a container as it is written, right or wrong."""
        block = container.get("x-mock")
        return block if isinstance(block, dict) else {}

    def _read_block(self, container: dict[str, Any], block: Any, kind: str) -> dict[str, Any]:
        if _vocabulary().is_valid({kind: block}):
            return block  # type: ignore[no-any-return]  # the schema says that it is a mapping
        errors = explain_block(kind, block)
        for path, message in errors or [([], f"does not fit the vocabulary of {kind!r}")]:
            self.error_below(container, ["x-mock", *path], message)
        while isinstance(block, dict) and (wrong := {tuple(path) for path, _ in errors if path}):
            block = self._without(block, wrong)
            errors = explain_block(kind, block)
        usable = isinstance(block, dict) and (not errors or kind in _USABLE_IN_PART)
        return block if usable else {}

    def _without(self, value: Any, paths: set[tuple[str | int, ...]]) -> Any:
        """A copy of a value without what is at these paths; every member that stays keeps its place."""
        if not paths:
            return value
        members = value.items() if isinstance(value, dict) else enumerate(value)
        kept = [
            (key, self._without(item, {path[1:] for path in paths if path[0] == key}))
            for key, item in members
            if (key,) not in paths
        ]
        copy = dict(kept) if isinstance(value, dict) else [item for _, item in kept]
        self.source.remember(copy, None, self.source.place(value))
        for new_key, (key, _) in zip(copy if isinstance(copy, dict) else range(len(copy)), kept, strict=True):
            self.source.remember(copy, new_key, self.source.place(value, key))
        return copy

    def unread_blocks(self) -> None:
        """Add an error for each x-mock block that nothing has read."""
        if (id(self.document), "paths") in self._misspelt:
            return
        read = {container for container, _ in self._blocks}
        waiting: list[Any] = [self.document]
        seen: set[int] = set()
        while waiting:
            value = waiting.pop()
            if id(value) in seen or id(value) in self._meant or not isinstance(value, dict | list):
                continue
            seen.add(id(value))
            if isinstance(value, dict) and "x-mock" in value and id(value) not in read:
                self.error(value, "x-mock is not read here", "x-mock")
            members = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [item for key, item in members if (id(value), key) not in self._misspelt]

    def schema(self, container: object, schema: Any, key: Hashable = None) -> Validator | None:
        """Compile a JSON Schema of this document; an error and None if it is not one."""
        if not isinstance(schema, dict | bool):
            self.error(container, "not a JSON Schema: must be a mapping", key)
            return None
        if not self._refers(schema):
            return None
        ref = str(schema["$ref"]) if isinstance(schema, dict) and schema.keys() == {"$ref"} else ""
        if ref in self._compiled:
            return self._compiled[ref]
        if isinstance(schema, dict) and "components" in self.document:
            schema = {**schema, "components": {"schemas": self._needed(schema)}}
        try:
            validator = jsonschema_rs.validator_for(schema, offline=True)
        except (jsonschema_rs.ValidationError, ValueError) as error:
            message = str(error).split("\n", 1)[0]
            path = getattr(error, "instance_path", [])
            if path[:1] == ["components"]:
                self.error_below(self.document, path, f"not a JSON Schema: {message}")
            else:
                self.error_below(container, [] if key is None else [key, *path], f"not a JSON Schema: {message}")
            return None
        if ref:
            self._compiled[ref] = validator
        return validator

    def is_schema(self, container: object, schema: Any, key: Hashable = None) -> bool:
        """Whether this is a JSON Schema, as part of one that is compiled later; an error if not."""
        return self.is_proven or self.schema(container, schema, key) is not None

    def _refers(self, schema: Any) -> bool:
        """Whether each $ref in a schema, and in what that refers to, points at something; an error if not."""
        seen: dict[int, Any] = {}
        errors = len(self.errors)
        waiting = [schema]
        while waiting:
            value = waiting.pop()
            if not isinstance(value, dict | list) or id(value) in seen or id(value) in self._referring:
                continue
            seen[id(value)] = value
            if isinstance(value, dict):
                waiting += [item for key, item in value.items() if key not in _SCHEMA_DATA]
                if "$ref" in value and self._follow(value, "$ref", value) is not MISSING:
                    waiting.append(self.target(value))
            else:
                waiting += value
        if len(self.errors) > errors:
            return False
        self._referring |= seen  # kept alive, so that no other object gets its identity
        return True

    def _needed(self, schema: Any) -> dict[str, Any]:
        """The components that a schema refers to, and those that they refer to: compiling all takes long."""
        schemas = self._schemas()
        if not isinstance(schemas, dict):
            return {}
        found: dict[str, Any] = {}
        waiting = list(_refs_to_components(schema))
        while waiting:
            name = waiting.pop()
            if name in found or name not in schemas:
                continue
            found[name] = schemas[name]
            if name not in self._component_refs:
                self._component_refs[name] = _refs_to_components(schemas[name])
            waiting += self._component_refs[name]
        return found

    def _schemas(self) -> Any:
        components = self.document["components"]
        return components.get("schemas", {}) if isinstance(components, dict) else {}

    def error_below(self, container: Any, path: Sequence[Hashable], message: str) -> None:
        """Add an error at ``path``, or as near as it leads: validators take a name of digits for an index."""
        key: Hashable = None
        for token in path:
            container = container if key is None else container[key]
            key = str(token) if isinstance(container, dict) else token
            if isinstance(container, dict) and key not in container:
                key = None
                break
        self.error(container, message, key)


def _refs_to_components(schema: Any) -> frozenset[str]:
    """The names of components whose schemas this one refers to, or to something in them."""
    names = set()
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            ref = value.get("$ref")
            tokens = Pointer.parse(ref[1:]).tokens if isinstance(ref, str) and ref.startswith("#/") else ()
            if tokens[:2] == ("components", "schemas") and len(tokens) > 2:
                names.add(tokens[2])
            waiting += [item for item in value.values() if isinstance(item, dict | list)]
        else:
            waiting += [item for item in value if isinstance(item, dict | list)] if isinstance(value, list) else []
    return frozenset(names)


@cache
def _schema_text() -> dict[str, Any]:
    text = files("mockserver.spec").joinpath("x-mock.schema.json").read_text("utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


@cache
def _vocabulary() -> Validator:
    """Of a block by its kind: one for all takes no longer to compile than that of the document's."""
    schema = _schema_text()
    return jsonschema_rs.validator_for(
        {**schema, "properties": {kind: {"$ref": f"#/$defs/{kind}"} for kind in schema["$defs"]}}
    )


def explain_block(kind: str, block: Any) -> list[tuple[list[str | int], str]]:
    """Each error of an x-mock block, as a path below the block and a sentence.

    jsonschema finds them, since its error trees explain best. It is imported only here: importing takes 45 ms.
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from jsonschema.exceptions import best_match, relevance  # noqa: PLC0415

    errors: list[tuple[list[str | int], str]] = []
    typos: list[tuple[list[str | int], str]] = []
    validator = Draft202012Validator({**_schema_text(), "$ref": f"#/$defs/{kind}"})
    for error in sorted(validator.iter_errors(block), key=relevance):
        deepest = best_match([error]) or error
        path: list[str | int] = list(deepest.absolute_path)
        if deepest.validator == "additionalProperties" and isinstance(deepest.instance, dict):
            allowed = deepest.schema.get("properties", {})
            for name in deepest.instance:
                if name not in allowed:
                    known = ", ".join(sorted(allowed))
                    near = [f"; did you mean {one!r}?" for one in get_close_matches(name, allowed, n=1, cutoff=0.7)]
                    errors.append(([*path, name], f"unknown key {name!r}; known here: {known}{''.join(near)}"))
            continue
        if "propertyNames" in deepest.absolute_schema_path:
            path.append(deepest.instance)
        missing = _missing_for_a_typo(deepest)
        if missing is None:
            errors.append((path, _sentence(deepest)))
        else:
            typos.append(([*path, missing[0]], missing[1]))
    meant = {tuple(path): word for path, word in typos}
    return [(path, _with_meant(told, meant.get(tuple(path)))) for path, told in errors]


def _with_meant(sentence: str, word: str | None) -> str:
    return sentence if word is None or "did you mean" in sentence else f"{sentence}; did you mean {word!r}?"


def _missing_for_a_typo(error: Any) -> tuple[str, str] | None:
    """The unknown key that stands for a required one, and that one; None where it is another error."""
    properties = error.schema.get("properties", {})
    if error.validator != "required" or error.schema.get("additionalProperties") is not False:
        return None
    strangers = [name for name in error.instance if name not in properties]
    for word in error.validator_value:
        for near in get_close_matches(word, strangers, n=1, cutoff=0.6) if word not in error.instance else ():
            if f"{word!r} is a required" in error.message:
                return near, word
    return None


def _type_sentence(asked: Any, found: Any) -> str:
    kinds = [asked] if isinstance(asked, str) else asked
    return f"{_as_json(found)} is not of type {' or '.join(map(_as_json, kinds))}"


_SENTENCES: dict[str, Callable[[Any, Any], str]] = {  # by the keyword that fails, of what it asks and what is there
    "type": _type_sentence,
    "const": lambda asked, found: f"{_as_json(asked)} was expected, not {_as_json(found)}",
    "enum": lambda asked, found: f"{_as_json(found)} is not one of {', '.join(map(_as_json, asked))}",
    "maxProperties": lambda asked, found: (
        f"has {len(found)} members where {asked} may be: {', '.join(map(str, found))}"
    ),
    "pattern": lambda asked, found: f"{_as_json(found)} does not match '{asked}'",
}


def _sentence(error: Any) -> str:
    """What is wrong, with values as JSON writes them, not Python."""
    asked = error.validator_value
    if error.validator == "anyOf" and all("required" in part for part in asked):
        return f"needs {' or '.join(repr(part['required'][0]) for part in asked)}"
    told = _SENTENCES.get(error.validator)
    return str(error.message) if told is None else told(asked, error.instance)


def _as_json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return shortened(text, MAX_SHOWN_VALUE)
