"""Pinned answers over HTTP: what they do to a client's requests, and what becomes of them."""

import re
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from mockserver.server.control import pins as pins_module
from mockserver.server.control.contracts import description
from tests.server.acme_customer import Customer
from tests.server.conftest import Make

SEND = "acme.send_sms"


def put(customer: Customer, *answers: Any, operation: str = SEND, **members: Any) -> dict[str, Any]:
    """Pin answers; the pin in its documented shape."""
    body = {"account": customer.id, "answers": list(answers), **members}
    response = customer.client.put(f"/_mock/pins/{operation}", json=body)
    assert response.status_code == 200, response.text
    pin: dict[str, Any] = response.json()
    jsonschema.Draft202012Validator({**description(), "$ref": "#/components/schemas/Pin"}).validate(pin)
    return pin


def pins(customer: Customer) -> list[dict[str, Any]]:
    """The customer's pins, listed."""
    response = customer.client.get("/_mock/pins", params={"account": customer.id})
    found: list[dict[str, Any]] = response.json()["pins"]
    return found


def answers(customer: Customer, times: int, **request: Any) -> list[str]:
    """The names of the answers to so many requests; a status where there is no name."""
    got = [customer.send(**request) for _ in range(times)]
    return [one.headers.get("x-mock-answer", f"/{one.status_code}").rpartition("/")[2] for one in got]


def test_what_was_pinned_is_shown(customer: Customer) -> None:
    """As it was written, with how many uses are left; all that was not said has its default."""
    pin = put(customer, "busy", f"{SEND}/refused", "rules", {"status": 418})
    assert re.fullmatch(r"p-[0-9a-f]{12}", pin["id"])
    assert pin == {
        "id": pin["id"], "operation": SEND, "account": customer.id,
        "answers": ["busy", f"{SEND}/refused", "rules", {"status": 418}], "course": None,
        "used": 0, "left": 4, "then": "rules", "where": {}, "when": {}, "changes": {}, "force": False, "fault": None,
        "made_at": pin["made_at"],
    }  # fmt: skip
    assert pins(customer) == [pin]
    members: dict[str, Any] = {
        "then": "last", "where": {"body": {"text": "Hi"}}, "when": {"/header/x-trace": False},
        "changes": {"/header/Retry-After": 0, "/body/field": [1]}, "force": True,
    }  # fmt: skip
    other = put(customer, "refused", **members)
    assert {name: other[name] for name in members} == members
    assert pins(customer) == [pin, other]
    assert other["id"] != pin["id"]
    assert datetime.fromisoformat(pin["made_at"]) <= datetime.fromisoformat(other["made_at"]) <= datetime.now(UTC)


def test_used_up_in_order(customer: Customer) -> None:
    """Named answers, a pass to the rules, a response of one's own; then the rules, and no pin any more."""
    put(customer, "busy", "rules", {"status": 418}, f"{SEND}/delayed")
    assert answers(customer, 2) == ["busy", "sent"]
    assert pins(customer)[0]["left"] == 2
    assert answers(customer, 3) == ["418", "delayed", "sent"]
    assert pins(customer) == []
    assert [call["chosen_by"] for call in customer.calls()][::-1] == ["pin", "default", "pin", "pin", "default"]


def test_the_last_stays(customer: Customer) -> None:
    """Until it is taken back."""
    put(customer, "sent", "busy", then="last")
    assert answers(customer, 4) == ["sent", "busy", "busy", "busy"]
    assert pins(customer)[0]["left"] == 0
    customer.client.delete("/_mock/pins", params={"account": customer.id})
    assert answers(customer, 1) == ["sent"]


def test_a_success_is_for_good_requests(customer: Customer) -> None:
    """A retry that lost its token is not waved through, and does not use the pin up; forced, it is."""
    put(customer, "delayed")
    bad = {"headers": {"X-Key": ""}}
    assert answers(customer, 2, **bad) == ["refused", "refused"]
    assert pins(customer)[0]["left"] == 1
    assert answers(customer, 2) == ["delayed", "sent"]
    put(customer, "delayed", {"status": 200}, force=True)
    assert answers(customer, 3, **bad) == ["delayed", "200", "refused"]
    call = customer.calls()[2]
    assert (call["chosen_by"], call["accepted"]) == ("pin", True)
    assert [problem["kind"] for problem in call["problems"]] == ["unauthenticated"]


def test_a_pin_for_some_requests(customer: Customer) -> None:
    """Others pass it by and leave it as it is; header names fit in any case."""
    put(
        customer,
        "busy",
        where={"body": {"text": "Bye"}, "headers": {"X-Trace": "t"}, "path": "/base/messages"},
        when={"/body/to": {"pattern": "^[+]"}, "/header/X-Other": False},
    )
    good, trace = {**customer.good, "text": "Bye"}, {"X-Trace": "t"}
    for request in (
        {"json": good},
        {"json": customer.good, "headers": trace},
        {"json": {**good, "to": "49"}, "headers": trace},
        {"json": good, "headers": {**trace, "X-Other": ""}},
    ):
        assert answers(customer, 1, **request) == ["sent"]
    assert pins(customer)[0]["left"] == 1
    assert answers(customer, 2, json=good, headers=trace) == ["busy", "sent"]


def test_query_and_form_are_text(customer: Customer) -> None:
    """As they are for a verification, whatever the contract says of their types; a form's fields are query too."""
    put(customer, "refused", operation="acme.get_typed", where={"query": {"whole": "5"}, "path": {"number": "7"}})
    assert answers(customer, 2, path="/base/typed/7?whole=5", method="GET") == ["refused", "done"]
    for where in ({"query": {"n": "5"}}, {"body": {"n": "5"}}):
        put(customer, "refused", operation="acme.post_form", where=where)
        assert answers(customer, 2, path="/base/forms", data={"n": "5"}) == ["refused", "done"]


def test_values_of_ones_own(customer: Customer) -> None:
    """Laid over the vendor's answer: headers on any answer, members of the body that it has."""
    put(
        customer,
        "refused",
        changes={"/header/Retry-After": "0", "/header/content-type": "a/b", "/body/field": {"x": 1}},
    )
    response = customer.send()
    assert (response.status_code, response.json()) == (400, {"field": {"x": 1}, "value": "none"})
    assert (response.headers["retry-after"], response.headers["content-type"]) == ("0", "a/b")
    assert customer.call(response)["response"]["json"] == response.json()
    put(customer, "rules", {"status": 200, "body": {"a": [1, 2]}}, changes={"/header/X-Fixed": 1.5})
    assert [customer.send().headers["x-fixed"] for _ in range(2)] == ["1.5", "1.5"]
    put(customer, {"status": 200, "body": {"a": [1, {"b": 2}]}}, changes={"/body/a/1/b": 3})
    assert customer.send().json() == {"a": [1, {"b": 3}]}


@pytest.mark.parametrize(
    ("written", "accepted", "note"),
    [
        pytest.param({"status": 418}, False, "documents no status 418", id="status"),
        pytest.param({"status": 202, "body": {"id": "x"}}, True, "off-contract: a literal answer", id="fits"),
        pytest.param({"status": 202.0, "body": {"id": 1}}, True, "does not fit the schema of status 202", id="body"),
        pytest.param(
            {"status": 400, "body": "<p>", "headers": {"Content-Type": "text/html"}}, False, "does not fit", id="html"
        ),
    ],
)
def test_literal_answers(customer: Customer, written: dict[str, Any], accepted: bool, note: str) -> None:
    """They are recorded as off the contract, held against it, and named nowhere as an answer of it."""
    put(customer, written, force=True)
    response = customer.send(json={})
    assert response.status_code == written["status"]
    assert "x-mock-answer" not in response.headers
    assert response.headers["x-mock-evidence"] == "off-contract"
    call = customer.call(response)
    assert (call["answer"], call["evidence"], call["chosen_by"]) == (None, "off-contract", "pin")
    assert (call["accepted"], call["response"]["status"]) == (accepted, written["status"])
    assert note in call["notes"][0]
    body = written.get("body")
    assert (response.text if isinstance(body, str) else response.json() if body else None) == body


def test_accounts_and_operations_are_apart(make: Make) -> None:
    """A pin is for one operation of one account."""
    one, other = make(), make()
    put(one, "busy", then="last")
    put(other, "refused")
    put(other, "refused", operation="acme.ping")
    assert (answers(one, 2), answers(other, 2)) == (["busy", "busy"], ["refused", "sent"])
    assert [pin["operation"] for pin in pins(other)] == ["acme.ping"]
    everyone = one.client.get("/_mock/pins").json()["pins"]
    assert {(pin["account"], pin["operation"]) for pin in everyone} >= {(one.id, SEND), (other.id, "acme.ping")}
    assert one.client.get("/_mock/pins", params={"account": "*"}).json()["pins"] == everyone


def test_forgotten(make: Make) -> None:
    """One operation's, an account's, by reset, by the account's end: no others."""
    one, other = make(), make()
    put(other, "busy")

    def pin_both() -> None:
        put(one, "busy")
        put(one, "done", operation="acme.ping")

    pin_both()
    client = one.client
    assert client.delete("/_mock/pins", params={"account": one.id, "operation": SEND}).status_code == 204
    assert [pin["operation"] for pin in pins(one)] == ["acme.ping"]
    assert client.delete("/_mock/pins", params={"account": one.id}).status_code == 204
    assert pins(one) == []
    pin_both()
    client.post(f"/_mock/accounts/{one.id}/reset")
    assert pins(one) == []
    pin_both()
    client.delete(f"/_mock/accounts/{one.id}")
    assert client.get("/_mock/pins", params={"account": one.id}).status_code == 404
    assert len(pins(other)) == 1
    assert client.delete("/_mock/pins?account=*").status_code == 204
    assert client.get("/_mock/pins").json() == {"pins": []}


def test_a_preference_leaves_a_pin_alone(customer: Customer) -> None:
    """What decides without the pin does not use it up, be its next entry an answer or the rules."""
    put(customer, "rules", "busy")
    assert customer.send(headers={"Prefer": "example=delayed"}).headers["x-mock-answer"] == "acme.send_sms/delayed"
    answers = [customer.send().headers["x-mock-answer"] for _ in range(2)]
    assert answers == ["acme.send_sms/sent", "acme.send_sms/busy"]


def test_a_list_answers_in_order(customer: Customer) -> None:
    """The first that fits and is not used up; each call says which it was, each pin how often it was used."""
    bye = put(customer, "busy", "busy", where={"body": {"text": "Bye"}})
    first, second = put(customer, "refused"), put(customer, "rules", {"status": 418})
    good = {**customer.good, "text": "Bye"}
    assert answers(customer, 2) == ["refused", "sent"]
    assert answers(customer, 3, json=good) == ["busy", "busy", "418"]
    assert answers(customer, 1) == ["sent"]
    used = [first["id"], second["id"], bye["id"], bye["id"], second["id"], None]
    assert [call["pin"] for call in customer.calls()][::-1] == used
    assert pins(customer) == []
    assert [find(customer, pin)["used"] for pin in (bye, first, second)] == [2, 1, 2]


def find(customer: Customer, pin: dict[str, Any], **query: str) -> dict[str, Any]:
    """A pin by its id."""
    response = customer.client.get("/_mock/pins", params={"account": customer.id, "id": pin["id"], **query})
    (found,) = response.json()["pins"]
    assert found["id"] == pin["id"]
    return dict(found)


def test_used_and_left_are_counted(customer: Customer) -> None:
    """Each use counts, also of a pin without end, and of one that was removed meanwhile."""
    some, endless = put(customer, "busy", "busy"), put(customer, "refused", then="last")
    answers(customer, 1)
    assert [(pin["used"], pin["left"]) for pin in pins(customer)] == [(1, 1), (0, 1)]
    assert (find(customer, some)["used"], find(customer, endless, account="*")["used"]) == (1, 0)
    answers(customer, 3)
    customer.client.delete("/_mock/pins", params={"account": customer.id})
    assert [(find(customer, pin)["used"], find(customer, pin)["left"]) for pin in (some, endless)] == [(2, 0), (2, 0)]


def test_replacing_is_asked_for(customer: Customer) -> None:
    """A new pin takes the place of those of the same operation, however they were bound; others stay."""
    put(customer, "busy", where={"body": {"text": "Bye"}})
    put(customer, "busy", then="last")
    everywhere = put(customer, "refused", operation="acme.*")
    mine = put(customer, "refused", then="last", replace=True)
    assert pins(customer) == [everywhere, mine]
    put(customer, "refused", operation="acme.*", replace=True)
    assert [pin["operation"] for pin in pins(customer)] == [SEND, "acme.*"]


def test_one_is_removed(customer: Customer) -> None:
    """The one of this id stays for ever away; what is not there is told, with what is."""
    first, second = put(customer, "busy"), put(customer, "refused")
    query = {"account": customer.id, "id": first["id"]}
    assert customer.client.delete("/_mock/pins", params=query).status_code == 204
    assert pins(customer) == [second]
    for pin_id in (first["id"], "p-0"):
        refused = customer.client.delete("/_mock/pins", params={**query, "id": pin_id})
        assert (refused.status_code, refused.json()["pointer"]) == (400, "/query/id")
        assert refused.json()["detail"] == f"there is no such pin: '{pin_id}'; known: {second['id']}"
    assert customer.client.delete("/_mock/pins", params={**query, "account": "*", "id": second["id"]}).is_success
    assert customer.client.get("/_mock/pins", params={**query, "id": "p-0"}).json()["detail"].endswith("known: none")


@pytest.mark.parametrize(("reach", "ping"), [("acme.*", "refused"), ("*", "refused"), (SEND, "done")])
def test_an_outage(customer: Customer, reach: str, ping: str) -> None:
    """A pin for all operations, of a vendor or of all, answers those that have the answer; others go by the rules."""
    put(customer, "busy", "refused", "refused", operation=reach, then="last")
    assert answers(customer, 1, path="/base/ping", json={}) == ["done"], "it has no such answer"
    assert answers(customer, 2) == ["busy", "refused"]
    assert answers(customer, 2, path="/base/ping", json={}) == [ping, ping]
    assert pins(customer)[0]["operation"] == reach


def test_filters(make: Make) -> None:
    """Pins are listed and removed by what they are for: a vendor's are its own and those of its operations."""
    one, other = make(), make()
    reaches = [SEND, "acme.*", "acme.ping", "*"]
    for reach in reaches:
        put(one, "refused", operation=reach)
    put(other, "refused")
    for reach, found in [("*", reaches), ("acme.*", reaches[:3]), (SEND, [SEND])]:
        listed = one.client.get("/_mock/pins", params={"account": one.id, "operation": reach}).json()["pins"]
        assert [pin["operation"] for pin in listed] == found
    one.client.delete("/_mock/pins", params={"account": one.id, "operation": "acme.*"})
    assert ([pin["operation"] for pin in pins(one)], len(pins(other))) == (["*"], 1)


@pytest.mark.parametrize(
    ("wide", "narrow", "is_hidden"),
    [
        pytest.param({"body": {"text": "Bye"}}, {"body": {"text": "Bye", "to": "+1"}}, True, id="more members"),
        pytest.param({"body": {"text": "Bye"}}, {"json": {"text": "Bye"}}, True, id="json is a body"),
        pytest.param({"json": {"text": "Bye"}}, {"body": {"text": "Bye"}}, False, id="a body may be a form"),
        pytest.param({"body": {"text": "Bye"}}, {"body": {"text": "Hi"}}, False, id="another value"),
        pytest.param({"body": {"text": "Bye", "to": "+1"}}, {"body": {"text": "Bye"}}, False, id="fewer members"),
        pytest.param({"body": {}}, {"body": {"text": "Hi"}}, True, id="any object"),
    ],
)
def test_a_wider_pin_hides_a_narrower_one(
    customer: Customer, wide: dict[str, Any], narrow: dict[str, Any], is_hidden: bool
) -> None:
    """An endless pin answers all that a later one is for, if whatever fits the later one fits it."""
    put(customer, "busy", then="last", where=wide)
    body = {"account": customer.id, "answers": ["busy"], "where": narrow}
    assert customer.client.put(f"/_mock/pins/{SEND}", json=body).status_code == (409 if is_hidden else 200)


@pytest.mark.parametrize(
    ("operation", "cure"), [(SEND, "send replace: true"), ("acme.*", "remove that pin first"), ("*", "remove that pin")]
)
def test_what_can_never_take_effect_is_told(customer: Customer, operation: str, cure: str) -> None:
    """A pin behind one that answers everything is refused, with the id of that one and what to do."""
    first = put(customer, "busy", then="last", operation=operation)
    body = {"account": customer.id, "answers": ["busy"], "where": {"body": {"text": "Bye"}}}
    refused = customer.client.put(f"/_mock/pins/{SEND}", json=body)
    assert refused.status_code == 409
    assert f"the earlier pin {first['id']} of {operation} answers all of its requests" in refused.json()["detail"]
    assert cure in refused.json()["detail"]
    assert pins(customer) == [first]
    replaced = customer.client.put(f"/_mock/pins/{SEND}", json={**body, "replace": True})
    assert replaced.status_code == (200 if operation == SEND else 409)


def test_an_account_has_so_many_pins(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is bounded, and says so."""
    monkeypatch.setattr(pins_module, "MAX_PINS", 10)
    for _ in range(10):
        assert customer.client.put(f"/_mock/pins/{SEND}", json={"account": customer.id, "answers": ["busy"]}).is_success
    refused = customer.client.put(f"/_mock/pins/{SEND}", json={"account": customer.id, "answers": ["busy"]})
    assert (refused.status_code, "may have 10;" in refused.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("bound", "whose"), [("MAX_PIN_BYTES", "the account's pins"), ("MAX_ALL_PIN_BYTES", "the pins of all accounts")]
)
def test_pins_have_so_many_bytes(customer: Customer, monkeypatch: pytest.MonkeyPatch, bound: str, whose: str) -> None:
    """Whatever part of them it is that is large; what is used up, removed or replaced makes room again."""
    monkeypatch.setattr(pins_module, bound, 2_500)
    literal = {"status": 429, "body": {"text": "x" * 1_000}}
    matched = {"where": {"body": {"text": "y" * 1_000}}, "answers": ["busy"]}
    changed = {"answers": ["sent"], "changes": {"/header/x-a": "z" * 1_000}}
    pin = {"account": customer.id, "answers": [literal]}

    def pinned(**members: Any) -> Any:
        return customer.client.put(f"/_mock/pins/{SEND}", json={"account": customer.id, **members})

    first = pinned(**matched)
    assert (first.status_code, pinned(**changed).status_code) == (200, 200)
    refused = pinned(**pin)
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        f"{whose} may have 2500 bytes together; remove some first",
    )
    for makes_room in ("remove", "use", "forget"):
        if makes_room == "remove":
            customer.client.delete("/_mock/pins", params={"account": customer.id, "id": first.json()["id"]})
        elif makes_room == "use":
            customer.send()
        else:
            customer.client.post(f"/_mock/accounts/{customer.id}/reset")
        assert pinned(answers=[literal]).status_code == 200, makes_room
    assert pinned(answers=[literal]).status_code == 200
    assert pinned(answers=[literal]).status_code == 409
    assert pinned(answers=[literal], replace=True).status_code == 200
