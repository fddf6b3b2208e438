"""Who the messages of an imported operation go to, come from, and what they say: told by names that are usual."""

import re
from collections.abc import Iterable
from typing import Any

from mockserver.authoring.openapi_file import Node, SpecOperation
from mockserver.authoring.reachable import Reachable
from mockserver.authoring.samples import SAMPLE_TEXT
from mockserver.spec.pointer import MISSING, Pointer

RECIPIENTS = (
    "to",
    "destination",
    "destinations",
    "recipient",
    "recipients",
    "msisdn",
    "phonenumber",
    "phone",
    "mobile",
)
SENDERS = ("from", "sender", "source", "originator", "src")
TEXT_NAMES = ("text", "body", "content", "message", "smsbody")
SAMPLE_NUMBER = "+12025550123"  # of nobody


class MessageImport:
    """Finds the recipient, the sender and the text among an operation's parameters and members."""

    def __init__(self, schemas: Reachable, notes: list[str]) -> None:
        self._schemas = schemas
        self._notes = notes

    def block(self, node: Node, endpoint: SpecOperation, recipient: str | None) -> Node:
        """Marks the recipient, and returns the block that says who a message comes from and what it says."""
        holders = [Pointer((p["in"], p["name"])) for p in node.get("parameters", []) if p["in"] == "query"]
        content = node.get("requestBody", {}).get("content", {})
        for media in content.values():
            holders += [Pointer(("body", name)) for name in self._members(media.get("schema"))]
        at = Pointer.parse(recipient) if recipient else _called(holders, RECIPIENTS)
        if at is None or (recipient is None and (endpoint.method != "post" or node["operationId"] != "send_sms")):
            return {}
        if not self._mark(node, at):
            self._notes.append(f"{endpoint.name}: there is no {at} that could be the recipient")
            return {}
        if recipient is None:
            self._notes.append(f"{endpoint.name}: {at} is taken for the recipient; --recipient says another")
        sender, text = _called(holders, SENDERS), _called(holders, TEXT_NAMES)
        return {
            "message": {
                "from": None if sender is None else {"echo": str(sender)},
                "text": None if text is None else {"echo": str(text)},
            }
        }

    def _mark(self, node: Node, at: Pointer) -> bool:
        if at.tokens[0] == "body":
            content = node.get("requestBody", {}).get("content", {})
            found = [media for media in content.values() if "schema" in media]
            marked = [self._mark_schema(media, "schema", at.tokens[1:]) for media in found]
            for media in found:
                self._show_number(media, at.tokens[1:])
            return any(marked)
        for parameter in node.get("parameters", []):
            if (parameter["in"], parameter["name"]) == at.tokens:
                if parameter.get("example") == SAMPLE_TEXT:
                    parameter["example"] = SAMPLE_NUMBER
                return self._mark_schema(parameter, "schema", ())
        return False

    def _show_number(self, media: Node, tokens: tuple[str, ...]) -> None:
        """Have the example of a body name a number where it names none: the call that it makes is then accepted."""
        holder = Pointer(tokens[:-1]).get(media["example"]) if tokens else MISSING
        if isinstance(holder, dict) and holder.get(tokens[-1]) == SAMPLE_TEXT:
            holder[tokens[-1]] = SAMPLE_NUMBER

    def _mark_schema(self, holder: Any, key: Any, tokens: tuple[str, ...]) -> bool:
        """Mark what stands below a schema, the member ``key`` of its holder; ``*`` is an item of a list."""
        schema = holder[key]
        if not isinstance(schema, dict):
            return False
        if "$ref" in schema:
            return self._mark_schema(self._schemas.components, schema["$ref"].rpartition("/")[2], tokens)
        for word in ("allOf", "anyOf", "oneOf"):
            branches = schema.get(word, [])
            marked = [self._mark_schema(branches, number, tokens) for number in range(len(branches))]
            if any(marked):
                return True
        if isinstance(schema.get("items"), dict) and (not tokens or tokens[0] == "*"):
            return self._mark_schema(schema, "items", tokens[1:])
        if not tokens:
            schema["x-mock"] = {"recipient": True}
            if "properties" not in schema and self._schemas.fits(SAMPLE_NUMBER, schema):
                schema.setdefault("examples", [SAMPLE_NUMBER])
            return True
        properties = schema.get("properties", {})
        return tokens[0] in properties and self._mark_schema(properties, tokens[0], tokens[1:])

    def _members(self, schema: Any) -> Iterable[str]:
        if isinstance(schema, dict) and "$ref" in schema:
            schema = self._schemas.components.get(schema["$ref"].rpartition("/")[2])
        if not isinstance(schema, dict):
            return []
        names = list(schema.get("properties", {}))
        for word in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(word, []):
                names += self._members(part)
        return dict.fromkeys(names)


def _called(pointers: Iterable[Pointer], names: tuple[str, ...]) -> Pointer | None:
    """The first of these places whose name is one of these, the earlier names first."""
    by_name = {re.sub("[^a-z]", "", pointer.tokens[-1].lower()): pointer for pointer in reversed(list(pointers))}
    return next((by_name[name] for name in names if name in by_name), None)
