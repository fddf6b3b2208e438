"""Calls found by text, and lists in short."""

import json

import pytest

from tests.server.acme_customer import Customer


@pytest.fixture
def said(customer: Customer) -> Customer:
    """Calls that say the same word in several ways: oldest first."""
    customer.send(json={**customer.good, "text": "Grüße"})
    customer.send(content='{"from": 1, "text": "Gr\\u00fc\\u00dfe"}', headers={"content-type": "application/json"})
    customer.send("/base/forms", data={"words": "Grüße & more"})
    customer.send("/nowhere", params={"q": "Grüße"})
    customer.send(json=customer.good)
    return customer


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Grüße", [3, 2, 1, 0]),
        ("GRÜSSE", [3, 2, 1, 0]),
        ("& more", [2]),
        ("/nowhere", [3]),
        ("send_sms/sent", [4, 0]),
        ("nothing says this", []),
    ],
)
def test_contains(said: Customer, text: str, found: list[int]) -> None:
    """As sent, as JSON escapes it, as a form writes it, in upper or lower case."""
    everything = [call["id"] for call in said.calls()][::-1]
    assert [call["id"] for call in said.calls(contains=text)] == [everything[number] for number in found]


def test_pages_of_what_contains(said: Customer) -> None:
    """A page goes on where the one before has ended."""
    ids, cursor = [], ""
    for _ in range(4):
        query = {"account": said.id, "contains": "grüße", "limit": "1", "cursor": cursor}
        page = said.client.get("/_mock/calls", params=query).json()
        ids += [call["id"] for call in page["calls"]]
        cursor = page["next"] or ""
    assert ids == [call["id"] for call in said.calls(contains="grüße")]


@pytest.mark.parametrize(
    ("kind", "found"),
    {
        "any": "abcdef",
        "accepted": "ad",
        "refused": "bce",
        "unclaimed": "ef",
        "unknown": "f",
        "pinned": "c",
        "fault": "d",
        "callback": "",
    }.items(),
)
def test_kinds(customer: Customer, kind: str, found: str) -> None:
    """What became of a call: in lists, exports and pages; nothing else is among them."""
    customer.client.delete("/_mock/calls?account=*")  # calls of nobody are everybody's
    pins = {"account": customer.id, "answers": ["refused"]}
    delay = {"account": customer.id, "fault": {"kind": "delay", "seconds": 0}}
    sent = [customer.send(), customer.send(json={})]
    customer.client.put("/_mock/pins/acme.send_sms", json=pins)
    sent.append(customer.send())
    customer.client.put("/_mock/pins/acme.send_sms", json=delay)
    sent += [customer.send(), customer.client.post("/base/messages", json={}), customer.client.post("/nowhere")]
    names = {response.headers.get("x-mock-call", ""): name for response, name in zip(sent, "abcdef", strict=True)}

    def listed(**query: str) -> str:
        calls = customer.client.get("/_mock/calls", params={"kind": kind, **query}).json()["calls"]
        return "".join(sorted(names.get(call["id"], "f") for call in calls))

    assert listed() == found
    first = customer.client.get("/_mock/calls", params={"kind": kind, "limit": "1"}).json()
    assert len(first["calls"]) == min(1, len(found))
    archive = customer.client.get("/_mock/calls", params={"kind": kind, "format": "har"}).json()
    assert len(archive["log"]["entries"]) == len(found)


@pytest.mark.parametrize(
    ("query", "message"),
    [("kind=strange", "no such kind: 'strange'; known: any, accepted"), ("kind=unknown&vendor=acme", "of no vendor")],
)
def test_kinds_that_no_call_has(customer: Customer, query: str, message: str) -> None:
    """Told, not an empty list."""
    refused = customer.client.get(f"/_mock/calls?{query}")
    assert refused.status_code == 400
    assert message in refused.json()["detail"]


def test_in_short(said: Customer) -> None:
    """The members have the values of the whole call."""
    whole = {call["id"]: call for call in said.calls()}
    for short in said.calls(format="summary"):
        call = whole[short["id"]]
        same = set(short) - {"status", "method", "path", "text", "body", "problem", "fault"}
        assert {name: short[name] for name in same} == {name: call[name] for name in same}
        assert (short["status"], short["method"]) == (call["response"]["status"], call["request"]["method"])
        assert (short["problem"] is None) == (call["problems"] == [])


def test_a_long_call_in_short(customer: Customer) -> None:
    """What is long is cut, and its secrets are masked."""
    token = customer.tokens["Claim"]
    customer.send("/" + "x" * 1000, content=f"token {token} " + "y" * 1000)
    (short,) = customer.calls(format="summary")
    assert len(short["path"]) == 301
    assert token not in short["body"]
    assert len(short["body"]) <= 400


def test_unfinished_json_is_searched_as_it_is(customer: Customer) -> None:
    """A body that cannot be read says what its bytes say."""
    customer.send(content=b'{"text": "\\u00e9 caf', headers={"content-type": "application/json"})
    assert len(customer.calls(contains="caf")) == 1
    assert customer.calls(contains="café") == []


def test_deep_json_is_read_in_part(customer: Customer) -> None:
    """Lists and their items are searched, too; of a body with very many, some."""
    for number in (10, 5000):
        body = {**customer.good, "n": list(range(number)), "list": [{"a": ["deep \u00fcber"]}]}
        customer.send(content=json.dumps(body), headers={"content-type": "application/json"})
    assert [len(call["request"]["json"]["n"]) for call in customer.calls(contains="deep ÜBER")][-1:] == [10]
