"""Responses that a document writes once for all of its operations, joined to those of each."""

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.spec.reader import Reader

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
Node = dict[str, Any]


def join_responses(reader: Reader, shared: Node) -> None:
    """Add shared responses to those of every operation of the reader's document.

    An example joins unless the operation has an answer of that name. A spelling without responses gets those of the
    operation that it spells. The document's paths are replaced by a copy; whatever is copied keeps its place.
    """
    join = _ResponseJoiner(reader, shared)
    paths = {path: join.path_item(item) for path, item in reader.mapping(reader.document, "paths").items()}
    if "paths" in reader.document:
        reader.document["paths"] = join.copy(reader.mapping(reader.document, "paths"), paths)


class _ResponseJoiner:
    """Joins the responses of one document."""

    def __init__(self, reader: Reader, shared: Node) -> None:
        self._reader = reader
        self._shared = shared

    def copy(self, node: Node, changes: Mapping[str, Any]) -> Node:
        """A copy of a mapping with other members; what stays keeps its place, what is new has the mapping's."""
        source = self._reader.source
        copy = {**node, **changes}
        source.remember(copy, None, source.place(node))
        for key in node:
            source.remember(copy, key, source.place(node, key))
        return copy

    def path_item(self, item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        operations = {method: self._operation(item[method]) for method in METHODS if method in item}
        return self.copy(item, operations) if operations else item

    def _operation(self, operation: Any) -> Any:
        if not isinstance(operation, dict):
            return operation
        written = operation.get("responses", self._responses_of(operation.get("x-mock")))
        if not isinstance(written, dict):
            return operation
        responses = written
        own = set(self._names(responses))
        joined: Node = {}
        for code in self._shared:
            response = self._without(self._reader.mapping(self._shared, code), own)
            if response is None:
                continue
            if code not in responses:
                joined[code] = response
                continue
            mine = self._reader.mapping(responses, code)
            if "content" not in mine or "content" not in response:
                self._reader.error(self._shared, f"{code} has no body in one place: its answers cannot join", code)
                continue
            joined[code] = self._response(mine, response)
        if not joined and "responses" in operation:
            return operation
        return self.copy(operation, {"responses": self.copy(responses, joined)})

    def _responses_of(self, block: Any) -> Any:
        """The responses of the operation that another is a spelling of."""
        name = block.get("same_as") if isinstance(block, dict) else None
        for _, item in self._members(self._reader.document, "paths"):
            for method in METHODS:
                operation = self._reader.mapping(item, method)
                if name is not None and operation.get("operationId") == name:
                    return operation.get("responses")
        return None

    def _names(self, responses: Node) -> Iterator[str]:
        """The names of the answers that an operation has."""
        for code in responses:
            response = self._reader.mapping(responses, code)
            block = response.get("x-mock")
            if isinstance(block, dict) and isinstance(block.get("name"), str):
                yield block["name"]
            for media_type in self._reader.mapping(response, "content"):
                yield from self._reader.mapping(self._reader.mapping(response["content"], media_type), "examples")

    def _without(self, response: Node, taken: set[str]) -> Node | None:
        """A shared response without the answers whose names are taken; None where no answer is left."""
        if "content" not in response:
            block = response.get("x-mock")
            return None if isinstance(block, dict) and block.get("name") in taken else response
        content = {}
        for media_type, media in self._members(response, "content"):
            examples = self._reader.mapping(media, "examples")
            left = {name: example for name, example in examples.items() if name not in taken}
            if left:
                kept = {key: value for key, value in media.items() if key != "examples"}
                content[media_type] = self._placed(media, {**kept, "examples": self._placed(examples, left)})
        return self.copy(response, {"content": self._placed(response["content"], content)}) if content else None

    def _response(self, mine: Node, shared: Node) -> Node:
        """Two responses of one status as one."""
        written = self._reader.mapping(mine, "content")
        content = dict(written)
        for media_type, media in self._members(shared, "content"):
            own = self._reader.mapping(written, media_type) if media_type in content else None
            content[media_type] = media if own is None else self._media(own, media)
        changes: Node = {"content": self.copy(written, content)}
        if "headers" in shared:
            own_headers, others = self._reader.mapping(mine, "headers"), self._reader.mapping(shared, "headers")
            changes["headers"] = self._placed(own_headers, {**others, **own_headers})
        return self.copy(mine, changes)

    def _media(self, mine: Node, shared: Node) -> Node:
        examples = {**self._reader.mapping(mine, "examples"), **self._reader.mapping(shared, "examples")}
        changes: Node = {"examples": self._placed(mine.get("examples"), examples)}
        if "schema" in mine and "schema" in shared and mine["schema"] != shared["schema"]:
            changes["schema"] = self._placed(mine["schema"], {"anyOf": [mine["schema"], shared["schema"]]})
        return self.copy(mine, changes)

    def _members(self, container: Node, key: str) -> Iterator[tuple[str, Node]]:
        members = self._reader.mapping(container, key)
        for name in members:
            yield name, self._reader.mapping(members, name)

    def _placed(self, origin: object, made: Node) -> Node:
        """A mapping that was made of another, at that one's place; its members keep theirs."""
        source = self._reader.source
        source.remember(made, None, source.place(origin))
        if isinstance(origin, dict):
            for key in made:
                source.remember(made, key, source.place(origin, key))
        return made
