"""Calls as text and as assertions."""

import ast
import base64
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mockserver.server.text_report import assertion, call_text


def call(**changes: Any) -> dict[str, Any]:
    """A call in the control API's shape."""
    request = {
        "method": "POST", "path": "/v1/sms", "query": "", "headers": [["host", "acme.example"]],
        "json": {"to": "+1"}, "form": None, **changes.pop("request", {}),
    }  # fmt: skip
    response = {"status": 202, "headers": [], "fault": None, **changes.pop("response", {})}
    for part in (request, response):
        body = part.pop("body", b"")
        part |= {
            "body_base64": base64.b64encode(body).decode() or None,
            "body_bytes": part.get("body_bytes", len(body)),
        }
    return {
        "id": "c-1", "received_at": "2030-01-01T00:00:00.000+00:00", "account": "a", "operation": "acme.send",
        "answer": "acme.send/sent", "accepted": True, "direction": "in", "chosen_by": "default", "rule": None,
        "pin": None, "evidence": "page", "problems": [], "notes": [], "recipient": "+1", "cut": [], "request": request,
        "response": response, **changes,
    }  # fmt: skip


def test_a_whole_text() -> None:
    """Everything that a person asks for, in the order in which it happened."""
    problem = {"kind": "missing", "reason": "required", "at": "/body/to", "message": "to is required"}
    shape = call(
        problems=[problem], notes=["a note"], rule="acme.yaml:41", chosen_by="rule", account=None,
        request={"query": "a=1", "body": b"one\ntwo"}, response={"body": b"{}", "fault": "delay"},
    )  # fmt: skip
    assert call_text(shape).split("\n") == [
        "== c-1 00:00:00.000 acme.send/sent 202 account unclaimed",
        "   chosen by rule acme.yaml:41; evidence page",
        "   missing required /body/to: to is required",
        "   note: a note",
        "> POST /v1/sms?a=1",
        "> host: acme.example",
        ">",
        "> one",
        "> two",
        "< 202 (fault: delay)",
        "<",
        "< {}",
    ]


@given(st.binary(max_size=60))
def test_bodies_obey_nobody(body: bytes) -> None:
    """No control and nothing that turns a line's direction comes out, whatever came in; each line says whose it is."""
    text = call_text(call(request={"body": body}))
    assert all(character.isprintable() or character in "\n\t" for character in text)
    assert all(line[:1] in {"=", " ", ">", "<"} for line in text.split("\n"))


@given(st.text(max_size=20))
def test_nothing_else_obeys(text: str) -> None:
    """Neither does what stands beside the bodies: the address, headers, problems and notes."""
    problem = {"kind": "invalid", "reason": "pattern", "at": f"/body/{text}", "message": text}
    request = {"path": f"/{text}", "query": text, "headers": [[text, text]]}
    shown = call_text(call(request=request, problems=[problem], notes=[text], account=text))
    assert all(character.isprintable() or character in "\n\t" for character in shown)
    assert shown.count("\n") == 6


def test_a_cut_body_and_no_response() -> None:
    """What is not shown is counted; a reply that a fault took away is none."""
    shape = call(request={"body": b"begin", "body_bytes": 99}, response={"status": 0}, answer=None, operation=None)
    text = call_text(shape)
    assert "> … 99 bytes in all" in text
    assert "no operation has this path 0" in text
    assert "< no response" in text


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), values, min_size=1, max_size=5))
def test_an_assertion_is_python(body: dict[str, Any]) -> None:
    """Its argument is what was sent, as Python reads it, without what was masked."""
    line = assertion(call(request={"json": body | {"key": "***12345678"}}))
    assert line.startswith("mock_vendors.acme.send.assert_accepted_once(json={")
    read = ast.literal_eval(line.partition("json=")[2][:-1])
    assert read == {name: value for name, value in body.items() if name != "key" and "***" not in str(value)}


def test_assertions_of_others() -> None:
    """A refusal by its answer, a form, a query by its recipient, a cut body by nothing; callbacks and strays never."""
    refused = call(accepted=False, answer="acme.send/bad", request={"json": None, "form": [["a", "1"]]})
    assert assertion(refused) == 'mock_vendors.acme.send.assert_refused(answer="bad", times=1, form={"a": "1"})'
    assert assertion(call(request={"json": None})).endswith('(recipient="+1")')
    assert assertion(call(cut=["/request/json"])).endswith("assert_accepted_once()")
    assert assertion(call(accepted=False, answer=None, cut=["/request"])).endswith("assert_refused(times=1)")
    assert assertion(call(direction="out")).startswith("# ")
    assert assertion(call(operation=None)).startswith("# ")
