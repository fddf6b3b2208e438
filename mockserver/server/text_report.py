"""A recorded call as plain text, for a terminal, a report or a bug tracker; and as an assertion of pytest.

A call is a mapping in the control API's shape, secrets masked.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

MASK = "***"
MAX_MEMBERS_ASSERTED = 20  # of a body
Shape = Mapping[str, Any]


def call_text(call: Shape) -> str:
    """The call with its headers and bodies, and why it was answered so."""
    return "\n".join(map(_visible, _lines(call)))


def _lines(call: Shape) -> Iterator[str]:
    request, response = call["request"], call["response"]
    became = call["answer"] or call["operation"] or "no operation has this path"
    account = call["account"] or "unclaimed"
    yield f"== {call['id']} {call['received_at'][11:23]} {became} {response['status']} account {account}"
    yield from _reasons(call)
    query = f"?{request['query']}" if request["query"] else ""
    yield f"> {request['method']} {call.get('url') or request['path'] + query}"
    yield from (f"> {name}: {value}" for name, value in request["headers"])
    yield from _body(request, ">")
    fault = f" (fault: {response['fault']})" if response["fault"] else ""
    yield f"< {response['status'] or 'no response'}{fault}"
    yield from (f"< {name}: {value}" for name, value in response["headers"])
    yield from _body(response, "<")


def _reasons(call: Shape) -> Iterator[str]:
    chosen = " ".join(filter(None, (call["chosen_by"] and f"by {call['chosen_by']}", call["rule"], call["pin"])))
    if chosen:
        yield f"   chosen {chosen}; evidence {call['evidence'] or 'none'}"
    for problem in call["problems"]:
        yield f"   {' '.join(filter(None, (problem['kind'], problem['reason'], problem['at'])))}: {problem['message']}"
    yield from (f"   note: {note}" for note in call["notes"])


def _body(part: Shape, mark: str) -> Iterator[str]:
    raw = base64.b64decode(part["body_base64"] or "")
    if not raw and part["body_bytes"]:
        yield f"{mark} ({part['body_bytes']} bytes, packed)"
    if not raw:
        return
    yield mark
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        yield f"{mark} ({part['body_bytes']} bytes, base64) {part['body_base64']}"
        return
    yield from (f"{mark} {line}" for line in text.split("\n"))
    if len(raw) < part["body_bytes"]:
        yield f"{mark} … {part['body_bytes']} bytes in all"


def _visible(line: str) -> str:
    """A line that no terminal obeys: controls and what changes direction are written as escapes."""
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode("ascii") for c in line)


def assertion(call: Shape) -> str:
    """A line of a test with ``mock_vendors`` that passes where such a call was made once."""
    vendor, _, operation = (call["operation"] or "").partition(".")
    if not operation or call["direction"] == "out":
        return f"# {call['id']} is no call to an operation: nothing can be asserted of it"
    arguments = list(_arguments(call))
    if call["accepted"]:
        return f"mock_vendors.{vendor}.{operation}.assert_accepted_once({', '.join(arguments)})"
    answer = (call["answer"] or "").rpartition("/")[2]
    named = [f"answer={json.dumps(answer)}"] if answer else []
    return f"mock_vendors.{vendor}.{operation}.assert_refused({', '.join([*named, 'times=1', *arguments])})"


def _arguments(call: Shape) -> Iterator[str]:
    """What of the request a test can name: what was sent as JSON, as a form or in the query, but for secrets."""
    request = call["request"]
    if any(pointer.startswith("/request") for pointer in call["cut"]):
        return
    if isinstance(request["json"], Mapping):
        members = _without_secrets(request["json"])
        if members:
            yield f"json={_python(members)}"
    elif request["form"]:
        yield f"form={_python(_without_secrets(dict(request['form'])))}"
    recipient = call["recipient"]
    if recipient and not request["json"] and not request["form"]:
        yield f"recipient={_python(recipient)}"


def _without_secrets(members: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in members.items() if MASK not in json.dumps(value)}
    return dict(list(plain.items())[:MAX_MEMBERS_ASSERTED])


def _python(value: Any) -> str:
    """A value as Python source, its texts in double quotes where JSON's spelling is Python's too."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_python(name)}: {_python(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_python, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) and value.isprintable() else repr(value)
