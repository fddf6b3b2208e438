"""A contract as an ordinary HTTP API, so that a tester who knows no ``x-mock`` can judge its server.

What ``x-mock`` says becomes plain OpenAPI: what an answer ``means`` is its status, a value that must be owned is one
that the account owns, an operation that dispatches takes and answers what its target does, a body of any type is JSON.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jsonschema_rs

from mockserver.engine.account import sample
from mockserver.spec.account_values import values_at
from mockserver.spec.model import Contract, Dispatch
from mockserver.spec.pointer import Pointer

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Node = dict[str, Any]


class Documented(NamedTuple):
    """One answer: the status under which it stands, its name, its ``x-mock`` block, and a response that has only it."""

    status: int
    name: str
    block: Mapping[str, Any]
    response: Node


class PlainApi:
    """The server that the plain document describes: a documented answer has the status that it means."""

    def __init__(self, app: Any, document: Mapping[str, Any]) -> None:
        self._app = app
        self._means = {
            f"{operation['operationId']}/{answer.name}": (answer.status, answer.block["means"])
            for operation in operations(document)
            for answer in answers(document, operation)
            if "means" in answer.block
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def translated(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer = dict(message["headers"]).get(b"x-mock-answer", b"").decode("ascii")
                status, means = self._means.get(answer.partition(".")[2], (None, None))
                if status == message["status"]:
                    message = {**message, "status": means}
            await send(message)

        await self._app(scope, receive, translated)


def plain_openapi(
    contract: Contract,
    document: Mapping[str, Any],
    data: Mapping[str, Any],
    schemes: tuple[str, ...],
    now: float,
    *,
    form: bool,
) -> Node:
    """The contract's document in plain OpenAPI, for the owner of ``data`` who proves who it is by these schemes.

    Where parameters may stand in a form as well, all stand there, or none does.
    """
    plain: Node = json.loads(json.dumps(document))
    plain["servers"] = [{"url": "/"}]
    plain["security"] = [{name: [] for name in schemes}]
    _without_unknown_methods(plain, contract)
    changed = _changed(plain, contract)
    for node in list(_owned_nodes(plain)):
        _own(plain, node, data, of_record=-1 if any(node is one for one in changed) else 0)
    for path_item in plain["paths"].values():
        shared = path_item.pop("parameters", [])
        for node in path_item.values():
            node["parameters"] = [*shared, *node.get("parameters", [])]
    nodes = {node["operationId"]: node for node in operations(plain)}
    responses = {name: _responses(plain, [node, *_targets(nodes, node)]) for name, node in nodes.items()}
    parameters = {
        name: [p for n in [node, *_targets(nodes, node)] for p in n["parameters"]] for name, node in nodes.items()
    }
    for operation in contract.operations:
        if operation.spelling not in nodes:
            continue
        node = nodes[operation.spelling]
        node["responses"] = responses[operation.spelling]
        node["parameters"] = [resolved(plain, parameter) for parameter in parameters[operation.spelling]]
        if operation.dispatch is not None:
            _name_methods(node, operation.dispatch)
        if "requestBody" in node:
            node["requestBody"] = _body(plain, node["requestBody"], sample(operation, data, now).body)
            if operation.merges_form:
                _place(node, form=form)
            else:
                _only_json(node["requestBody"])
    return plain


def _without_unknown_methods(plain: Node, contract: Contract) -> None:
    """Leave out operations that have no good request: those that lead to methods nobody mocks."""
    for operation in contract.operations:
        if operation.dispatch is not None and not operation.dispatch.to:
            del plain["paths"][operation.path][operation.method.lower()]
    plain["paths"] = {path: item for path, item in plain["paths"].items() if item.keys() & set(METHODS)}


def _name_methods(node: Node, dispatch: Dispatch) -> None:
    """The parameter that names a method takes the name of the first that is mocked: each method has its own others."""
    part, name = dispatch.by.tokens
    node["parameters"] = [
        {**one, "schema": {"enum": list(dispatch.to)[:1]}} if (one["in"], one["name"]) == (part, name) else one
        for one in node["parameters"]
    ]


def operations(document: Mapping[str, Any]) -> Iterator[Node]:
    """Every operation of a document."""
    for path_item in document["paths"].values():
        yield from (path_item[method] for method in METHODS if method in path_item)


def answers(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[Documented]:
    """Every answer that an operation's own responses show."""
    for status, reference in operation["responses"].items():
        response = resolved(document, reference)
        if "content" not in response:
            block = response.get("x-mock", {})
            yield Documented(int(status), block.get("name", ""), block, response)
        for media_type, media in response.get("content", {}).items():
            for name, example in media["examples"].items():
                content = {media_type: {**media, "examples": {name: example}}}
                yield Documented(int(status), name, example.get("x-mock", {}), {**response, "content": content})


def resolved(document: Mapping[str, Any], node: Any) -> Any:
    """A node, its ``$ref`` followed."""
    while "$ref" in node:
        node = Pointer.parse(node["$ref"][1:]).get(document)
    return node


def _targets(nodes: Mapping[str, Node], operation: Node) -> list[Node]:
    """The operation that a command of this one names; none where it leads to no other."""
    block = operation.get("x-mock", {})
    block = nodes[block["same_as"]].get("x-mock", {}) if "same_as" in block else block
    return [nodes[name] for name in block.get("dispatch", {}).get("to", {}).values()][:1]


def _responses(plain: Node, sources: list[Node]) -> Node:
    """The responses of some operations, each answer under the status that it means."""
    found: Node = {}
    for answer in (answer for source in sources for answer in answers(plain, source)):
        status = str(answer.block.get("means", answer.status))
        response = found.setdefault(status, answer.response)
        for media_type, media in answer.response.get("content", {}).items():
            response["content"][media_type]["examples"].update(media["examples"])
    return found


def _owned_nodes(node: Any) -> Iterator[Node]:
    if isinstance(node, dict):
        if "owned" in node.get("x-mock", {}):
            yield node
        for item in node.values():
            yield from _owned_nodes(item)
    elif isinstance(node, list):
        for item in node:
            yield from _owned_nodes(item)


def _changed(plain: Node, contract: Contract) -> list[Node]:
    """The parameters that name a record which their operation changes, so that others must use another."""
    changing = {
        operation.spelling: change.at.tokens[1]
        for operation in contract.operations
        for answer in operation.answers.values()
        for change in answer.effects.changes
    }
    return [
        parameter
        for path_item in plain["paths"].values()
        for node in path_item.values()
        if isinstance(node, dict) and node["operationId"] in changing
        for parameter in (resolved(plain, one) for one in path_item.get("parameters", []))
        if parameter.get("x-mock", {}).get("owned", "").split("/")[2:3] == [changing[node["operationId"]]]
    ]


def _own(plain: Node, node: Node, data: Mapping[str, Any], of_record: int) -> None:
    """Narrow a parameter or schema to what one record holds, in every form that the schema allows."""
    block, holder = node["x-mock"], node if "in" in node else {"schema": node}
    if block["owned"].count("/") > 3:
        return  # it is asked for by those records only that list records
    schema = {**resolved(plain, holder["schema"]), **holder["schema"]}
    schema.pop("$ref", None)
    found = list(values_at(data, "/".join(["", "account", *block["owned"].split("/")[2:]])))
    values = [value for value, record in found if record is found[of_record][1]]
    if block.get("digits"):
        values = [form for value in values for form in (str(value), f"+{value}", int(value))]
    schema["enum"] = [value for value in values if jsonschema_rs.is_valid(schema, value)]
    if "in" in node:
        node.update(schema=schema, example=values[0])
    else:
        node.clear()
        node.update(schema)


def _body(plain: Node, reference: Node, example: str) -> Node:
    """A request body with the account's own example; one of any type is read as JSON."""
    body = resolved(plain, reference)
    content = {t.replace("*/*", "application/json"): media for t, media in body["content"].items()}
    return {
        **body,
        "content": {t: {**m, "example": json.loads(example)} if "example" in m else m for t, m in content.items()},
    }


def _place(operation: Node, *, form: bool) -> None:
    """The query's parameters into a form and only there, or in no form."""
    body = operation["requestBody"]
    body["content"] = {t: dict(media) for t, media in body["content"].items() if ("form" in t) == form}
    if form:
        fields = [node for node in operation["parameters"] if node["in"] == "query"]
        operation["parameters"] = [node for node in operation["parameters"] if node["in"] != "query"]
        schema = {
            "type": "object",
            "required": [node["name"] for node in fields if node.get("required")],
            "properties": {node["name"]: _as_text(node["schema"]) for node in fields},
        }
        body["required"] = bool(schema["required"])
        for media in body["content"].values():
            media.update(schema=schema, example={node["name"]: node["example"] for node in fields if "example" in node})


def _only_json(body: Node) -> None:
    """Without the form that a body may be as well: plain OpenAPI cannot say that a form's fields are text."""
    if "application/json" in body["content"]:
        body["content"] = {t: media for t, media in body["content"].items() if "form" not in t}


def _as_text(schema: Node) -> Node:
    """The schema of a form's field: there, unlike in JSON, a boolean is a word or a digit."""
    if schema.get("type") != "boolean":
        return schema
    return {"enum": [True, False, 1, 0, "true", "false", "True", "False", "1", "0"]}
