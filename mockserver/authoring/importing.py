"""A contract out of a vendor's own OpenAPI file: what chosen operations need, and what the file leaves open as TODO."""

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mockserver.authoring.addresses_import import AddressImport
from mockserver.authoring.messages_import import RECIPIENTS, SpecRequest, message_of
from mockserver.authoring.openapi_file import HEADER_TOKEN, Node, OpenApiFile, SpecOperation, entries, members
from mockserver.authoring.reachable import UNNAMEABLE, Reachable, snake
from mockserver.authoring.samples import SAMPLE_TEXT, Sampler
from mockserver.authoring.security_import import SecurityImport
from mockserver.spec.answer_model import EMPTY_STATUSES
from mockserver.spec.answers import CANONICAL_STATUSES
from mockserver.spec.errors import ContractError, ContractErrors
from mockserver.spec.path_probes import hidden_paths
from mockserver.spec.pointer import MISSING, Pointer

CANONICAL_NAMES = {status: name for name, status in CANONICAL_STATUSES.items()}
IGNORED_HEADERS = {"authorization", "accept", "content-type"}  # no parameters (OpenAPI, Parameter Object)
MEDIA_TYPE = re.compile("[^/ ]+/[^/ ]+")
FORM_BODIES = ("application/x-www-form-urlencoded", "multipart/form-data")
STYLES_READ = {  # that are read, by place
    "path": ("simple",),
    "header": ("simple",),
    "query": ("form", "spaceDelimited", "pipeDelimited"),
}
TODO = "TODO"


@dataclass(slots=True)
class Imported:
    """A contract's document, and what is to be said of it: what was left out, and what was guessed."""

    document: Node
    notes: list[str]


@dataclass(slots=True)
class _DraftOperation:
    """An operation as it is put together; ``names`` are those of its answers."""

    endpoint: SpecOperation
    path: str
    node: Node = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class RecipientError(ValueError):
    """A request has no number at the place that is named; the message says where it can have one."""


class Importer:
    """Makes a contract of some operations of a file."""

    def __init__(self, source: OpenApiFile, vendor: str) -> None:
        self._source = source
        self._vendor = vendor
        self._schemas = Reachable(source)
        self._notes: list[str] = []
        self._security = SecurityImport(source)
        self._addresses = AddressImport(source, vendor, self._notes)
        self._sampler = Sampler({"components": {"schemas": self._schemas.components}})

    def imported(self, endpoints: Iterable[SpecOperation], recipient: str | None = None) -> Imported:
        """The contract of these operations; ``recipient`` is where the first one has the number it sends to.

        Raises ContractErrors where none of them can be in a contract, RecipientError.
        """
        operations = self._with_paths(list(endpoints))
        if not operations:
            told = "; ".join(["no operation that a contract can have", *self._notes])
            raise ContractErrors([ContractError(str(self._source.file), 1, 1, "/paths", told)])
        for operation in operations:
            operation.node = self._operation(operation)
        requests = [SpecRequest(operation.node, self._schemas) for operation in operations]
        for operation, request in zip(operations, requests, strict=True):
            operation.node["security"] = operation.node["security"] or self._security.in_fields(
                operation.endpoint, request.fields
            )
            self._security.own(operation.endpoint, operation.node)
        sending = 0 if recipient else _sending(operations, requests)
        for operation, name in zip(operations, _names(operations, sending), strict=True):
            operation.node["operationId"] = name
        if sending is not None:
            self._mark_message(operations[sending], requests[sending], recipient)
        elif any(operation.endpoint.method == "post" for operation in operations):
            self._note(f"{TODO} none of these looks like the operation that sends: its name is to be send_sms")
        paths: Node = {}
        for operation in operations:
            paths.setdefault(operation.path, {})[operation.endpoint.method] = operation.node
        info = members(self._source.document, "info")
        document = {
            "openapi": "3.1.0",
            "info": {
                "title": str(info.get("title") or self._vendor),
                "version": str(info.get("version") or "1"),
                "description": f"Begun from {self._source.file.name}.",
            },
            "servers": self._addresses.servers,
            "security": [],
            "x-mock": self._document_block([operation.node for operation in operations]),
            "paths": paths,
        }
        components = {"schemas": self._schemas.components, "securitySchemes": self._security.schemes}
        if any(components.values()):
            document["components"] = {name: part for name, part in components.items() if part}
        if self._source.document.get("webhooks"):
            self._note("webhooks are left out: write when each is made, and to whom")
        notes = [*self._notes, *self._schemas.notes, *self._security.notes]
        return Imported(document, list(dict.fromkeys(notes)))

    def _with_paths(self, endpoints: list[SpecOperation]) -> list[_DraftOperation]:
        """The operations that a contract can have, each with its path."""
        if endpoints:
            self._addresses.read(endpoints)
        operations: dict[tuple[str, str], _DraftOperation] = {}
        for endpoint in endpoints:
            path = self._addresses.path(endpoint)
            key = endpoint.method, re.sub(r"\{[^{}]*\}", "{}", path or "")
            if path is not None and key in operations:
                other = operations[key].endpoint.name
                self._note(f"{endpoint.name} is left out: {other} has the same method and path")
            elif path is not None:
                operations[key] = _DraftOperation(endpoint, path)
        hidden = dict(hidden_paths(dict.fromkeys(operation.path for operation in operations.values())))
        for operation in operations.values():
            if operation.path in hidden:
                self._note(f"{operation.endpoint.name} is left out: {hidden[operation.path]} takes its requests")
        return [operation for operation in operations.values() if operation.path not in hidden]

    def _mark_message(self, operation: _DraftOperation, request: SpecRequest, recipient: str | None) -> None:
        """Mark the recipient of the operation that sends, and say who a message comes from and what it says."""
        name = operation.endpoint.name
        at = Pointer.parse(recipient) if recipient else request.called(RECIPIENTS, is_number=True)
        if at is None or not request.mark(at):
            there = ", ".join(request.numbers) or "nothing"
            if recipient:
                raise RecipientError(f"{name} has no {recipient} that can be a number; there is: {there}")
            self._note(f"{name}: {TODO} no recipient is found: name it with --recipient; there is: {there}")
            return
        if not recipient:
            self._note(f"{name}: {at} is taken for the recipient; --recipient says another")
        if request.has_other_form:
            self._note(f"{name}: {at} is not marked in each body: it has another form there")
        operation.node["x-mock"] = message_of(request)

    def _document_block(self, operations: list[Node]) -> Node:
        """What holds for every operation: the answers that the file does not have, and when they are given."""
        told = {"evidence": {"assumed": f"{TODO}: undocumented"}}
        asks = any(node["security"] for node in operations)
        may_err = any("requestBody" in node or _may_be_wrong(node) for node in operations)
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

    def _note(self, text: str) -> None:
        self._notes.append(text)

    def _operation(self, operation: _DraftOperation) -> Node:
        endpoint = operation.endpoint
        parameters = self._parameters(operation)
        body = self._request_body(endpoint)
        node: Node = {"operationId": "", "summary": str(endpoint.node.get("summary") or endpoint.name)}
        if parameters:
            node["parameters"] = parameters
        if body:
            node["requestBody"] = body
        node["security"] = self._security.required(endpoint)
        node["responses"] = self._responses(operation)
        callbacks = members(endpoint.node, "callbacks")
        if callbacks:
            names = ", ".join(callbacks)
            self._note(f"{endpoint.name}: its callbacks are left out ({names}): write when each is made, and to whom")
        return node

    def _parameters(self, operation: _DraftOperation) -> list[Node]:
        """Parameters, in OpenAPI's words that are read here."""
        endpoint = operation.endpoint
        merged: dict[tuple[str, str], Node] = {}
        for holder in (endpoint.path_item, endpoint.node):
            for written in entries(holder, "parameters"):
                found = self._schemas.follow(written, endpoint.file)
                where, name = (
                    (found.value.get(key) for key in ("in", "name")) if isinstance(found.value, dict) else ("", "")
                )
                if isinstance(name, str) and name and name not in UNNAMEABLE and isinstance(where, str):
                    schema = self._schemas.schema(_schema_of(found.value), found.file, "request")
                    merged[where, name.lower() if where == "header" else name] = {**found.value, "schema": schema}
                else:
                    self._note(f"{endpoint.name}: a parameter without a name or a place is left out")
        parameters = []
        for (where, name), written in merged.items():
            if where == "header" and name in IGNORED_HEADERS:
                self._note(f"{endpoint.name}: the header {name} is left to 'security' and 'requestBody'")
            elif where not in STYLES_READ or (
                where == "query" and written.get("style", "form") not in STYLES_READ[where]
            ):
                self._note(f"{endpoint.name}: the parameter {name} ({where} {written.get('style', '')}) is left out")
            elif self._schemas.is_no_text(written["schema"]):
                self._note(
                    f"{endpoint.name}: the parameter {name} is left out: an object or a list of them is not read"
                )
            else:
                parameters.append(self._parameter(written))
        parameters += copy.deepcopy(self._addresses.parameters)
        in_path = re.findall(r"\{([^{}]+)\}", operation.path)
        declared = {node["name"] for node in parameters if node["in"] == "path"}
        undeclared = [name for name in dict.fromkeys(in_path) if name not in declared]
        parameters += [self._parameter({"name": n, "in": "path", "schema": {"type": "string"}}) for n in undeclared]
        return [node for node in parameters if node["in"] != "path" or node["name"] in in_path]

    def _parameter(self, written: Node) -> Node:
        where, style = written["in"], written.get("style")
        node = {"name": written["name"], "in": where}
        if written.get("description"):
            node["description"] = str(written["description"])
        if written.get("required") is True or where == "path":
            node["required"] = True
        if style in STYLES_READ[where]:
            node["style"] = style
        if isinstance(written.get("explode"), bool):
            node["explode"] = written["explode"]
        node["schema"] = written["schema"]
        shown = [value for _, value in _examples(written)][:1]
        if node.get("required") or shown:
            values = ({"value": value} for value in (*shown, *self._sampler.values(node["schema"])))
            of_value = {"properties": {"value": node["schema"]}}
            example = self._schemas.first_that_fits(values, of_value, in_form=True)
            node |= {} if example is MISSING else {"example": example["value"]}
        return node

    def _request_body(self, endpoint: SpecOperation) -> Node:
        found = self._schemas.follow(endpoint.node.get("requestBody"), endpoint.file)
        content = {
            media_type: self._media(endpoint, media_type, media if isinstance(media, dict) else {}, found.file)
            for media_type, media in members(found.value, "content").items()
            if MEDIA_TYPE.match(media_type)
        }
        return {"required": found.value.get("required") is True, "content": content} if content else {}

    def _media(self, endpoint: SpecOperation, media_type: str, media: Node, file: Path) -> Node:
        """A body of one type; of one that is not read, its example only."""
        essence = media_type.partition(";")[0].strip().lower()
        if not ("json" in essence or essence == "*/*" or essence in FORM_BODIES):
            self._note(f"{endpoint.name}: a body of {media_type} is taken, and not read")
            return {"example": next((v for _, v in _examples(media) if isinstance(v, str)), SAMPLE_TEXT)}
        schema = self._schemas.schema(media.get("schema"), file, "request")
        encoding = self._encoding(endpoint, media) if essence in FORM_BODIES else {}
        named = {"encoding": encoding} if encoding else {}
        return {
            "schema": schema,
            **self._body_example(endpoint, media, schema, in_form=essence in FORM_BODIES),
            **named,
        }

    def _encoding(self, endpoint: SpecOperation, media: Node) -> Node:
        """How the fields of a form are written, as far as that is read here."""
        encoding = {}
        for name, written in members(media, "encoding").items():
            words = {word: members(media["encoding"], name).get(word) for word in ("style", "explode")}
            if name not in UNNAMEABLE and words["style"] not in (None, *STYLES_READ["query"]):
                self._note(f"{endpoint.name}: the style {words['style']!r} of {name} is left out: it is not read")
            elif name not in UNNAMEABLE and written:
                is_said = {"style": words["style"] is not None, "explode": isinstance(words["explode"], bool)}
                encoding[name] = {word: value for word, value in words.items() if is_said[word]}
        return {name: words for name, words in encoding.items() if words}

    def _body_example(self, endpoint: SpecOperation, media: Node, schema: Any, *, in_form: bool) -> Node:
        """The first of the vendor's examples that fits the schema, or one that is made up; nothing where none fits."""
        value = self._schemas.first_that_fits(self._bodies(media, schema), schema, in_form=in_form)
        if value is not MISSING:
            return {"example": value}
        self._note(f"{endpoint.name}: {TODO} an example of the body that fits its schema")
        return {}

    def _bodies(self, media: Node, schema: Any) -> Iterator[Any]:
        yield from (value for _, value in _examples(media))
        for made in self._sampler.values(schema):
            yield made
            if isinstance(made, dict):
                required = {name for part in self._schemas.unfolded(schema) for name in part.get("required", ())}
                flat = {name: value for name, value in made.items() if not isinstance(value, dict | list)}
                yield {name: value for name, value in made.items() if name in required or name in flat}
                yield {name: value for name, value in made.items() if name in required}

    def _responses(self, operation: _DraftOperation) -> Node:
        endpoint = operation.endpoint
        responses: Node = {}
        written = members(endpoint.node, "responses")
        for code, response in sorted(written.items(), key=lambda entry: not entry[0].startswith("2")):
            status = _status(code, set(written))
            found = self._schemas.follow(response, endpoint.file)
            if status is None or status in responses or not isinstance(found.value, dict):
                self._note(f"{endpoint.name}: the response {code} is left out")
                continue
            responses[status] = self._response(operation, status, found.value, found.file)
        if not any(status.startswith(("2", "3")) for status in responses):
            name = self._answer_name(operation, "sent", "200")
            responses["200"] = {"description": TODO, "x-mock": {"name": name, **_assumed("undocumented")}}
        return dict(sorted(responses.items()))

    def _response(self, operation: _DraftOperation, status: str, node: Node, file: Path) -> Node:
        response: Node = {"description": str(node.get("description") or "-")}
        evidence = {"evidence": {"vendor": f"{self._source.file.name}, {operation.endpoint.name}, {status}"}}
        headers = self._headers(node, file)
        if headers:
            response["headers"] = headers
        content = members(node, "content") if int(status) not in EMPTY_STATUSES else {}
        for media_type, media in content.items():
            if not MEDIA_TYPE.match(media_type) or not ("json" in media_type or media_type == "*/*"):
                self._note(f"{operation.endpoint.name}: a response {status} of {media_type} is left out")
                continue
            sent = "application/json" if media_type == "*/*" else media_type
            response["content"] = {sent: self._answers(operation, status, media, file, evidence)}
            break
        if "content" not in response:
            response["x-mock"] = {"name": self._answer_name(operation, "answer", status), **evidence}
        return response

    def _answers(self, operation: _DraftOperation, status: str, media: Any, file: Path, evidence: Node) -> Node:
        schema = self._schemas.schema(media.get("schema") if isinstance(media, dict) else {}, file, "response")
        shown = [(name, self._schemas.follow(value, file).value) for name, value in _examples(media)]
        shown = [(name, value) for name, value in shown if value is not MISSING]
        made = self._schemas.first_that_fits(self._sampler.values(schema), schema) if not shown else MISSING
        examples, misfit = {}, False
        for name, value in shown or [("sample", self._sampler.value(schema) if made is MISSING else made)]:
            block = evidence if shown else _assumed("made from the schema")
            misfit = misfit or not self._schemas.fits(value, schema)
            examples[self._answer_name(operation, name, status)] = {"value": value, "x-mock": dict(block)}
        if misfit:
            self._note(f"{operation.endpoint.name}: an example of {status} does not fit its schema, which is left out")
        return {**({} if misfit or not schema else {"schema": schema}), "examples": examples}

    def _answer_name(self, operation: _DraftOperation, written: str, status: str) -> str:
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
        for name, written in members(node, "headers").items():
            shown = _examples(self._schemas.follow(written, file).value)
            text = str(shown[0][1]) if shown else ""
            is_usable = text.isascii() and text.isprintable() and text and HEADER_TOKEN.fullmatch(name)
            if is_usable and name.lower() not in {"content-type", "content-length", *UNNAMEABLE}:
                headers[name] = {"schema": {"type": "string"}, "example": text}
        return headers


def _sending(operations: list[_DraftOperation], requests: list[SpecRequest]) -> int | None:
    """Which operation sends a message: the posted one that looks most like it, or the only one that is posted."""
    posted = [number for number, operation in enumerate(operations) if operation.endpoint.method == "post"]
    best = max(posted, key=lambda number: requests[number].score, default=None)
    return best if best is not None and (len(posted) == 1 or requests[best].score) else None


def _names(operations: list[_DraftOperation], sending: int | None) -> list[str]:
    """A name for each operation; the one that sends is ``send_sms``."""
    names = ["send_sms"] if sending is not None else []
    for number, operation in enumerate(operations):
        name = snake(str(operation.endpoint.node.get("operationId") or operation.endpoint.name))
        while name in names and number != sending:
            name += "_2"
        names += [name] if number != sending else []
    if sending is not None:
        names.insert(sending, names.pop(0))
    return names


def _schema_of(parameter: Node) -> Any:
    """The schema of a parameter, which may stand under ``content``."""
    if "schema" in parameter:
        return parameter["schema"]
    return {"type": "string"}


def _examples(node: Any) -> list[tuple[str, Any]]:
    """The examples of a parameter, media type or header, with their names."""
    named = [
        (name, example["value"])
        for name, example in members(node, "examples").items()
        if isinstance(example, dict) and "value" in example
    ]
    if isinstance(node, dict) and "example" in node:
        named.insert(0, ("example", node["example"]))
    schema = members(node, "schema")
    if not named and "example" in schema:
        named.append(("example", schema["example"]))
    return named


def _may_be_wrong(operation: Node) -> bool:
    """Whether a rule can find a request wrong for a parameter: in a path, only for whose it is."""
    return any(parameter["in"] != "path" or "x-mock" in parameter for parameter in operation.get("parameters", []))


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
