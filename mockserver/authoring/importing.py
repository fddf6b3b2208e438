"""A contract out of a vendor's own OpenAPI file: what chosen operations need, and what the file leaves open as TODO."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mockserver.authoring.messages_import import MessageImport
from mockserver.authoring.openapi_file import Node, OpenApiFile, SpecOperation
from mockserver.authoring.reachable import Reachable, snake
from mockserver.authoring.samples import Sampler
from mockserver.authoring.security_import import SecurityImport
from mockserver.spec.answer_model import BODILESS_STATUSES
from mockserver.spec.answers import CANONICAL_STATUSES

CANONICAL_NAMES = {status: name for name, status in CANONICAL_STATUSES.items()}
IGNORED_HEADERS = {"authorization", "accept", "content-type"}  # no parameters (OpenAPI, Parameter Object)
FORM_BODIES = ("application/x-www-form-urlencoded", "multipart/form-data")
PARAMETER_WORDS = ("name", "in", "description", "required", "style", "explode")
TODO = "TODO"


@dataclass(slots=True)
class Imported:
    """A contract's document, and what is to be said of it: what was left out, and what was guessed."""

    document: Node
    notes: list[str]


@dataclass(slots=True)
class _Operation:
    """An operation as it is put together; ``names`` are those of its answers."""

    endpoint: SpecOperation
    name: str
    names: set[str] = field(default_factory=set)


class Importer:
    """Makes a contract of some operations of a file."""

    def __init__(self, source: OpenApiFile, vendor: str) -> None:
        self._source = source
        self._vendor = vendor
        self._schemas = Reachable(source)
        self._security = SecurityImport(source)
        self._notes: list[str] = []
        self._messages = MessageImport(self._schemas, self._notes)
        self._sampler = Sampler({"components": {"schemas": self._schemas.components}})

    def imported(self, endpoints: Iterable[SpecOperation], recipient: str | None = None) -> Imported:
        """The contract of these operations; ``recipient`` is where the first one has the number it sends to."""
        endpoints = list(endpoints)
        names = _names(endpoints)
        paths: Node = {}
        for number, (endpoint, name) in enumerate(zip(endpoints, names, strict=True)):
            node = self._operation(_Operation(endpoint, name), recipient if number == 0 else None)
            paths.setdefault(endpoint.path, {})[endpoint.method] = node
        info = self._source.document.get("info", {})
        document = {
            "openapi": "3.1.0",
            "info": {
                "title": str(info.get("title") or self._vendor),
                "version": str(info.get("version") or "1"),
                "description": f"Begun from {self._source.file.name}.",
            },
            "servers": self._servers(endpoints),
            "security": [],
            "x-mock": self._document_block([node for item in paths.values() for node in item.values()]),
            "paths": paths,
        }
        components = {"schemas": self._schemas.components, "securitySchemes": self._security.schemes}
        if any(components.values()):
            document["components"] = {name: part for name, part in components.items() if part}
        notes = [*self._notes, *self._schemas.notes, *self._security.notes]
        return Imported(document, list(dict.fromkeys(notes)))

    def _document_block(self, operations: list[Node]) -> Node:
        """What holds for every operation: the answers that the file does not have, and when they are given."""
        told = {"evidence": {"assumed": f"{TODO}: undocumented"}}
        asks = any(node["security"] for node in operations)
        may_err = any("requestBody" in node or _reads_more_than_path(node) for node in operations)
        needed = {"400": "invalid", "405": "method_not_allowed", **({"401": "unauthorized"} if asks else {})}
        answers = [set(_answer_names(node)) for node in operations]
        if not may_err:
            del needed["400"]
        responses = {status: name for status, name in needed.items() if any(name not in names for names in answers)}
        gates = [{"problem": "method", "answer": "method_not_allowed"}]
        gates += [{"problem": "unauthenticated", "answer": "unauthorized"}] if asks else []
        block = {
            "account": self._security.account or {"id": {"new": "uuid"}},
            "gates": gates,
            "rules": [{"problem": "any", "answer": "invalid"}] if may_err else [],
            "responses": {
                status: {"description": TODO, "x-mock": {"name": name, **told}} for status, name in responses.items()
            },
        }
        return {name: part for name, part in block.items() if part}

    def _servers(self, endpoints: list[SpecOperation]) -> list[Node]:
        first = endpoints[0]
        written = first.node.get("servers") or first.path_item.get("servers") or self._source.document.get("servers")
        urls = []
        for server in written if isinstance(written, list) else ():
            url = _without_variables(server)
            if not url.startswith(("http://", "https://")):
                url = f"https://api.{self._vendor.replace('_', '-')}.example/{url.strip('/')}".rstrip("/")
                self._note(f"the server {server.get('url')!r} is no full address: {url} stands for it")
            urls.append(url)
        if not urls:
            urls = [f"https://api.{self._vendor.replace('_', '-')}.example"]
            self._note(f"no server is named: {urls[0]} stands for it")
        return [{"url": url} for url in dict.fromkeys(urls)]

    def _note(self, text: str) -> None:
        self._notes.append(text)

    def _operation(self, operation: _Operation, recipient: str | None) -> Node:
        endpoint = operation.endpoint
        parameters = self._parameters(endpoint)
        body = self._request_body(endpoint)
        node: Node = {"operationId": operation.name, "summary": str(endpoint.node.get("summary") or endpoint.name)}
        node["security"] = self._security.required(endpoint)
        if parameters:
            node["parameters"] = parameters
        if body:
            node["requestBody"] = body
        node["responses"] = self._responses(operation)
        block = self._messages.block(node, endpoint, recipient)
        if block:
            node["x-mock"] = block
        return node

    def _parameters(self, endpoint: SpecOperation) -> list[Node]:
        """Parameters, in OpenAPI's words that are read here."""
        merged: dict[tuple[str, str], Node] = {}
        for holder in (endpoint.path_item, endpoint.node):
            for written in holder.get("parameters", []):
                found = self._schemas.follow(written, endpoint.file)
                if isinstance(found.value, dict):
                    merged[str(found.value.get("in")), str(found.value.get("name"))] = {
                        **found.value,
                        "schema": self._schemas.schema(_schema_of(found.value), found.file),
                    }
        parameters = []
        for (where, name), written in merged.items():
            if where == "header" and name.lower() in IGNORED_HEADERS:
                self._note(f"{endpoint.name}: the header {name} is left to 'security' and 'requestBody'")
            elif where not in {"path", "query", "header"} or written.get("style") == "deepObject":
                self._note(f"{endpoint.name}: the parameter {name} ({where} {written.get('style', '')}) is left out")
            else:
                parameters.append(self._parameter(written))
        declared = {node["name"] for node in parameters if node["in"] == "path"}
        undeclared = [name for name in re.findall(r"\{([^{}]+)\}", endpoint.path) if name not in declared]
        parameters += [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in undeclared]
        return [node for node in parameters if node["in"] != "path" or f"{{{node['name']}}}" in endpoint.path]

    def _parameter(self, written: Node) -> Node:
        node = {key: written[key] for key in PARAMETER_WORDS if key in written}
        node["schema"] = written["schema"]
        shown = _examples(written)
        if node.get("required") or node["in"] == "path" or shown:
            example = shown[0][1] if shown else self._sampler.value(node["schema"])
            for value in (example, self._sampler.value(node["schema"])):
                if "example" not in node and self._schemas.fits(value, node["schema"]):
                    node["example"] = value
        return node

    def _request_body(self, endpoint: SpecOperation) -> Node:
        if "requestBody" not in endpoint.node:
            return {}
        found = self._schemas.follow(endpoint.node["requestBody"], endpoint.file)
        if not isinstance(found.value, dict):
            return {}
        content: Node = {}
        for media_type, media in found.value.get("content", {}).items():
            essence = media_type.partition(";")[0].strip().lower()
            if not ("json" in essence or essence in FORM_BODIES):
                self._note(f"{endpoint.name}: a body of {media_type} is taken, and not read")
                content[media_type] = {}
                continue
            schema = self._schemas.schema(media.get("schema", {}), found.file)
            content[media_type] = {"schema": schema, **self._body_example(endpoint, media, schema)}
            if isinstance(media.get("encoding"), dict):
                kept = {
                    n: {k: v for k, v in e.items() if k in {"style", "explode"}} for n, e in media["encoding"].items()
                }
                content[media_type]["encoding"] = {name: words for name, words in kept.items() if words} or {}
                if not content[media_type]["encoding"]:
                    del content[media_type]["encoding"]
        return {"required": bool(found.value.get("required")), "content": content} if content else {}

    def _body_example(self, endpoint: SpecOperation, media: Node, schema: Any) -> Node:
        """The first of the vendor's examples that fits the schema, or one that is made up; nothing where none fits."""
        made = self._sampler.value(schema)
        for value in (*(value for _, value in _examples(media)), made, _required_only(schema, made)):
            if self._schemas.fits(value, schema):
                return {"example": value}
        self._note(f"{endpoint.name}: {TODO} an example of the body that fits its schema")
        return {}

    def _responses(self, operation: _Operation) -> Node:
        endpoint = operation.endpoint
        responses: Node = {}
        written: Mapping[Any, Any] = endpoint.node.get("responses", {})
        taken = {str(code) for code in written}
        for code, response in sorted(written.items(), key=lambda entry: not str(entry[0]).startswith("2")):
            status = _status(str(code), taken)
            found = self._schemas.follow(response, endpoint.file)
            if status is None or status in responses or not isinstance(found.value, dict):
                self._note(f"{endpoint.name}: the response {code} is left out")
                continue
            responses[status] = self._response(operation, status, found.value, found.file)
        if not any(status.startswith(("2", "3")) for status in responses):
            name = self._answer_name(operation, "sent", "200")
            responses["200"] = {"description": TODO, "x-mock": {"name": name, **_assumed("undocumented")}}
        return dict(sorted(responses.items()))

    def _response(self, operation: _Operation, status: str, node: Node, file: Path) -> Node:
        response: Node = {"description": str(node.get("description") or "-")}
        evidence = {"evidence": {"vendor": f"{self._source.file.name}, {operation.endpoint.name}, {status}"}}
        headers = self._headers(node, file)
        if headers:
            response["headers"] = headers
        content = node.get("content") if int(status) not in BODILESS_STATUSES else None
        for media_type, media in content.items() if isinstance(content, dict) else ():
            if "json" not in media_type:
                self._note(f"{operation.endpoint.name}: a response {status} of {media_type} is left out")
                continue
            response["content"] = {media_type: self._answers(operation, status, media, file, evidence)}
            break
        if "content" not in response:
            response["x-mock"] = {"name": self._answer_name(operation, "answer", status), **evidence}
        return response

    def _answers(self, operation: _Operation, status: str, media: Node, file: Path, evidence: Node) -> Node:
        schema = self._schemas.schema(media.get("schema", {}), file)
        shown = [(name, self._schemas.follow(value, file).value) for name, value in _examples(media)]
        examples, misfit = {}, False
        for name, value in shown or [("sample", self._sampler.value(schema))]:
            block = evidence if shown else _assumed("made from the schema")
            misfit = misfit or not self._schemas.fits(value, schema)
            examples[self._answer_name(operation, name, status)] = {"value": value, "x-mock": dict(block)}
        if misfit:
            self._note(f"{operation.endpoint.name}: an example of {status} does not fit its schema, which is left out")
        return {**({} if misfit or not schema else {"schema": schema}), "examples": examples}

    def _answer_name(self, operation: _Operation, written: str, status: str) -> str:
        """The canonical name of an answer for the first one of its status, else its own name; no name twice."""
        name = (
            "sent" if status.startswith("2") else CANONICAL_NAMES.get(int(status), "invalid" if status == "422" else "")
        )
        if not name or name in operation.names:
            own = snake(written)
            name = (
                f"{own}_{status}"
                if own in {"sample", "answer", "example", "x_example"} or own in operation.names
                else own
            )
        number, free = 2, name
        while free in operation.names:
            free, number = f"{name}_{number}", number + 1
        operation.names.add(free)
        return free

    def _headers(self, node: Node, file: Path) -> Node:
        headers = {}
        for name, written in node.get("headers", {}).items() if isinstance(node.get("headers"), dict) else ():
            found = self._schemas.follow(written, file)
            shown = _examples(found.value) if isinstance(found.value, dict) else []
            text = str(shown[0][1]) if shown else ""
            if (
                text.isascii()
                and text.isprintable()
                and text
                and name.lower() not in {"content-type", "content-length"}
            ):
                headers[name] = {"schema": {"type": "string"}, "example": text}
        return headers


def _names(endpoints: list[SpecOperation]) -> list[str]:
    """A name for each operation; the first one that is posted is ``send_sms``."""
    names: list[str] = []
    first = next((number for number, endpoint in enumerate(endpoints) if endpoint.method == "post"), None)
    for number, endpoint in enumerate(endpoints):
        name = "send_sms" if number == first else snake(str(endpoint.node.get("operationId") or endpoint.name))
        while name in names:
            name += "_2"
        names.append(name)
    return names


def _schema_of(parameter: Node) -> Any:
    """The schema of a parameter, which may stand under ``content``."""
    if "schema" in parameter:
        return parameter["schema"]
    return {"type": "string"} if parameter.get("content") else {}


def _examples(node: Node) -> list[tuple[str, Any]]:
    """The examples of a parameter, media type or header, with their names."""
    written = node.get("examples")
    named = [
        (str(name), example["value"])
        for name, example in (written.items() if isinstance(written, dict) else ())
        if isinstance(example, dict) and "value" in example
    ]
    if "example" in node:
        named.insert(0, ("example", node["example"]))
    schema = node.get("schema")
    if not named and isinstance(schema, dict) and "example" in schema:
        named.append(("example", schema["example"]))
    return named


def _required_only(schema: Any, value: Any) -> Any:
    names = schema.get("required", []) if isinstance(schema, dict) else []
    return {name: value[name] for name in names if name in value} if isinstance(value, dict) and names else value


def _reads_more_than_path(operation: Node) -> bool:
    return any(parameter["in"] != "path" for parameter in operation.get("parameters", []))


def _answer_names(operation: Node) -> Iterator[str]:
    for response in operation["responses"].values():
        if "x-mock" in response:
            yield str(response["x-mock"]["name"])
        content: Node = response.get("content", {})
        medias: list[Node] = list(content.values())
        yield from (name for media in medias for name in media["examples"])


def _status(code: str, taken: set[str]) -> str | None:
    """The status of a response; of a range, and of ``default``, one that no other response has."""
    if re.fullmatch("[2-5][0-9][0-9]", code):
        return code
    ranges = {"2XX": ("200",), "4XX": ("400",), "5XX": ("500",), "default": ("400", "500")}
    return next(
        (status for status in ranges.get(code.upper() if code != "default" else code, ()) if status not in taken), None
    )


def _assumed(why: str) -> Node:
    return {"evidence": {"assumed": f"{TODO}: {why}"}}


def _without_variables(server: Node) -> str:
    variables = server.get("variables", {})
    return re.sub(
        r"\{([^{}]+)\}", lambda found: str(variables.get(found[1], {}).get("default", found[1])), str(server.get("url"))
    ).rstrip("/")
