"""Calls on their way to a real vendor: unchanged, recorded on both sides, and refused where they must not go."""

import asyncio
import base64
import contextlib
import gzip
import http.client
import io
import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from mockserver.engine.signing import Signer
from mockserver.server.application import create_app
from mockserver.server.drift.forwarding import forward_real
from mockserver.server.drift.recording import RecordingFile
from mockserver.server.drift.upstream import Origin, Upstream, UpstreamError
from mockserver.server.log import CallLog, TextForm
from mockserver.server.serialize import MAX_MEMBER_SHOWN
from mockserver.server.settings import Settings
from tests.live import PATIENCE, served
from tests.server.drift.upstream import DEPOT, OURS, Pair, Vendor

BODY = '{"to": "+12025550199",  "weight": 5}'  # with two blanks


@pytest.fixture
def vendor(pair: Pair) -> Iterator[Vendor]:
    """In place of the instance that plays the vendors."""
    body = gzip.compress(b'{"error": {"code": 2, "text": "Weight is missing"}}')
    headers = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
    headers += [(b"x-two", b"1"), (b"x-two", b"2")]
    before, pair.stage.app = pair.stage.app, Vendor(400, headers, body)
    yield pair.stage.app
    pair.stage.app = before
    pair.real_calls()


def key_of(pair: Pair) -> dict[str, str]:
    return {"X-Key": pair.customer.vendors[DEPOT]["api_key"], "Content-Type": "application/json"}


@pytest.mark.parametrize("prefix", ["", "/depot"])
def test_unchanged(pair: Pair, vendor: Vendor, prefix: str) -> None:
    """Target, headers and body reach the vendor as they came, and its answer comes back so, coding and all."""
    hops = {"TE": "trailers", "Connection": "X-Hop", "X-Hop": "1"}
    headers = {**key_of(pair), "X-Odd": "a, b", "Accept-Encoding": "gzip", **hops}
    connection = http.client.HTTPConnection(pair.url.removeprefix("http://"), timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("POST", f"{prefix}/parcels?a=%41&b=[1]", BODY, headers)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (400, vendor.answer[2])
    assert (answer.headers["content-encoding"], answer.headers.get_all("x-two")) == ("gzip", ["1", "2"])
    assert answer.headers["x-mock-real"] == f"http://127.0.0.1:{pair.port}"
    got = dict(vendor.scope["headers"])
    assert (vendor.scope["raw_path"], vendor.scope["query_string"]) == (b"/parcels", b"a=%41&b=[1]")
    assert (vendor.body, got[b"host"]) == (BODY.encode(), f"127.0.0.1:{pair.port}".encode())
    assert {name: got.get(name) for name in (b"x-odd", b"accept-encoding", b"te", b"x-hop")} == {
        b"x-odd": b"a, b",
        b"accept-encoding": b"gzip",
        b"te": None,
        b"x-hop": None,
    }


def test_recorded(pair: Pair, vendor: Vendor) -> None:
    """The call is the customer's, says REAL and what departs; the file has it masked, for its owner's eyes only."""
    requests.post(f"{pair.url}/parcels", BODY, headers=key_of(pair), timeout=PATIENCE)
    assert pair.recording.stat().st_mode & 0o777 == 0o600
    text = pair.recording.read_text("utf-8")
    assert key_of(pair)["X-Key"] not in text
    (call,) = pair.real_calls()
    shape = requests.get(f"{pair.url}/_mock/calls/{call.call['id']}", timeout=PATIENCE).json()
    assert (shape["chosen_by"], shape["account"], shape["answer"]) == ("real", "real", "depot.send/weight_missing")
    assert shape["notes"][0] == f"REAL http://127.0.0.1:{pair.port}: 2 departures"
    assert shape["response"]["json"] == {"error": {"code": 2, "text": "Weight is missing"}}  # its coding undone
    assert call.call["request"]["json"] == json.loads(BODY)
    assert [departure.at for departure in call.departures] == ["/header/x-two", "/"]


def test_made_up_credentials(pair: Pair, vendor: Vendor) -> None:
    """What this server made up itself reaches no vendor: a built-in customer's key, or a fresh account's."""
    fresh = requests.post(f"{pair.url}/_mock/accounts", timeout=PATIENCE).json()
    for key, account in (
        ("depot-default-key-0000000001", "default"),
        (fresh["vendors"][DEPOT]["credentials"]["api_key"], fresh["id"]),
    ):
        headers = {**key_of(pair), "X-Key": key}
        answer = requests.post(f"{pair.url}/parcels", BODY, headers=headers, timeout=PATIENCE)
        assert (answer.status_code, vendor.scope) == (502, None)
        assert "the credentials are this server's own invention" in answer.json()["detail"]
        call = requests.get(f"{pair.url}/_mock/calls/{answer.headers['x-mock-call']}", timeout=PATIENCE).json()
        assert (call["account"], call["operation"], call["chosen_by"]) == (account, "depot.send", "real")
    assert pair.real_calls() == []


@pytest.mark.parametrize("key", [None, "somebody's"])
def test_other_credentials(pair: Pair, vendor: Vendor, key: str | None) -> None:
    """No credential at all, and one that this server does not know, are the vendor's to judge."""
    headers = {"Content-Type": "application/json"} | ({"X-Key": key} if key else {})
    assert requests.post(f"{pair.url}/parcels", BODY, headers=headers, timeout=PATIENCE).status_code == 400
    (call,) = pair.real_calls()
    assert call.call["account"] is None
    assert call.is_certain is (key is None)


BUILT_IN = "polyai-default-api-key-0000000000000001a"


def fresh(pair: Pair, vendor: str) -> Any:
    """What proves who one is, of an account that the server has just made up."""
    account = requests.post(f"{pair.url}/_mock/accounts", timeout=PATIENCE).json()
    return account["vendors"][vendor]["credentials"]


def login(pair: Pair) -> str:
    """User and password as HTTP Basic has them."""
    user = fresh(pair, "opentact")["users"][0]
    return base64.b64encode(f"{user['email']}:{user['password']}".encode()).decode()


def token(pair: Pair) -> str:
    app = fresh(pair, "koreai")["apps"][0]
    return Signer().sign({"alg": app["algorithm"]}, {"appId": app["client_id"]}, app["client_secret"])


MADE_UP_PLACES: dict[str, Callable[[Pair], dict[str, Any]]] = {
    "its own header": lambda _: {"headers": {"X-PolyAi-Auth-Token": BUILT_IN}},
    "another vendor's header": lambda _: {"headers": {"Authorization": f"Bearer {BUILT_IN}"}},
    "any header": lambda _: {"headers": {"X-My": f"is {BUILT_IN}."}},
    "a header's name": lambda _: {"headers": {BUILT_IN: "1"}},
    "a query": lambda _: {"params": {"any": BUILT_IN}},
    "an encoded query": lambda _: {"params": "any=" + "".join(f"%{ord(letter):02x}" for letter in BUILT_IN)},
    "a member": lambda _: {"json": {"a": [{"b": f"it is {BUILT_IN}"}]}},
    "an escaped member": lambda _: {"data": json.dumps({"a": BUILT_IN}).replace("-", "\\u002d")},
    "a form": lambda _: {"data": {"a": BUILT_IN}},
    "a packed body": lambda _: {"data": gzip.compress(BUILT_IN.encode()), "headers": {"Content-Encoding": "gzip"}},
    "a long body": lambda _: {"data": "x" * 100_000 + BUILT_IN},
    "a pair": lambda pair: {"json": {"login": login(pair)}},
    "a token": lambda pair: {"json": {"token": token(pair)}},
    "a password": lambda pair: {"params": {"a": fresh(pair, "opentact")["users"][0]["password"]}},
    "a secret": lambda pair: {"data": {"a": fresh(pair, "koreai")["apps"][0]["client_secret"]}},
    "a number": lambda _: {"json": {"account": 1111111}},
}


@pytest.mark.parametrize("path", ["/parcels", "/v1/outbound-calling"])
@pytest.mark.parametrize("place", MADE_UP_PLACES)
def test_made_up_credentials_anywhere(pair: Pair, vendor: Vendor, path: str, place: str) -> None:
    """They leave by no part of a request, whatever method it is for; the contract may only name that."""
    answer = requests.post(f"{pair.url}{path}", timeout=PATIENCE, **MADE_UP_PLACES[place](pair))
    assert (answer.status_code, vendor.scope) == (502, None)
    assert "the credentials are this server's own invention" in answer.json()["detail"]
    assert pair.real_calls() == []


def test_what_only_looks_made_up(pair: Pair, vendor: Vendor) -> None:
    """A longer number that has a short value in it is none of them."""
    body = {"to": "+12100000145", "code": "91111111", "weight": 5}
    assert requests.post(f"{pair.url}/parcels", json=body, timeout=PATIENCE).status_code == 400


def test_method_that_is_not_mocked(pair: Pair, vendor: Vendor) -> None:
    """A method that the contract only names is passed on and recorded; there is nothing to compare."""
    answer = requests.get(f"{pair.url}/v1/webhook-endpoints", timeout=PATIENCE)
    assert (answer.status_code, vendor.scope["raw_path"]) == (400, b"/v1/webhook-endpoints")
    call = requests.get(f"{pair.url}/_mock/calls/{answer.headers['x-mock-call']}", timeout=PATIENCE).json()
    assert (call["vendor"], call["operation"], call["chosen_by"]) == ("polyai", None, "real")
    assert call["notes"] == [f"REAL http://127.0.0.1:{pair.port}: the contract only names this method"]
    (real,) = pair.real_calls()
    assert (real.vendor, real.operation, real.answer, real.departures) == ("polyai", "", None, ())
    assert real.call["request"]["path"] == "/v1/webhook-endpoints"
    assert "Weight is missing" in str(real.call["response"])


def test_command_that_is_not_mocked(pair: Pair, vendor: Vendor) -> None:
    """So is one that the request names itself."""
    answer = requests.post(f"{pair.url}/platform_api", {"cmd": "AddQueue"}, timeout=PATIENCE)
    assert (answer.status_code, vendor.body) == (400, b"cmd=AddQueue")
    assert [call.vendor for call in pair.real_calls()] == ["voximplant"]


def test_options(pair: Pair, vendor: Vendor) -> None:
    """What a browser asks before it calls is answered here."""
    assert requests.options(f"{pair.url}/parcels", timeout=PATIENCE).status_code == 204
    assert vendor.scope is None


def test_large_body(pair: Pair, vendor: Vendor) -> None:
    """A body that this server does not keep is not passed on in part."""
    answer = requests.post(f"{pair.url}/parcels", b"x" * (1024 * 1024 + 1), headers=key_of(pair), timeout=PATIENCE)
    assert (answer.status_code, vendor.scope) == (502, None)
    assert "--max-body" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "body", "told"),
    [
        ([(b"content-type", b"application/json")], b"<html>", "/body"),
        ([(b"content-type", b"text/html")], b"Oops", "/header/content-type"),
        ([(b"content-encoding", b"zstd"), (b"content-type", b"application/json")], b"\x28\xb5", "/body"),
    ],
)
def test_answers_that_cannot_be_read(pair: Pair, vendor: Vendor, headers: Any, body: bytes, told: str) -> None:
    """An answer that is no JSON, or that nobody can unpack, departs; it goes back to the client all the same."""
    vendor.answer = (400, headers, body)
    answer = requests.post(f"{pair.url}/parcels", BODY, headers=key_of(pair), timeout=PATIENCE, stream=True)
    assert answer.raw.read(decode_content=False) == body
    (call,) = pair.real_calls()
    assert told in {departure.at for departure in call.departures}


def test_only_named_vendors(tmp_path: Path) -> None:
    """Another vendor's calls are answered as ever; of a vendor that cannot be reached that is said."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    app = create_app(Settings())
    forward_real(app, {"polyai": Upstream(Origin("http", "127.0.0.1", port))}, RecordingFile(tmp_path / "calls"))
    with served(app) as own:
        mocked = requests.post(f"http://127.0.0.1:{own}/sms/o", timeout=PATIENCE)
        assert mocked.headers["x-mock-answer"] == "opentact.send_sms/unauthorized"
        passed_on = requests.post(f"http://127.0.0.1:{own}/v1/outbound-sms", timeout=PATIENCE)
        assert passed_on.status_code == 502
        assert f"REAL: http://127.0.0.1:{port} gave no answer: ConnectError" in passed_on.json()["detail"]


def test_an_address_that_leads_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that passes calls on to itself ends that, and has the client told why."""
    monkeypatch.setattr("mockserver.server.drift.forwarding.MAX_UNDER_WAY", 3)
    app = create_app(Settings(explain=False))
    origins: dict[str, Upstream] = {"polyai": Upstream(Origin("http", "127.0.0.1", 1))}
    forward_real(app, origins, RecordingFile(tmp_path / "calls"))
    with served(app) as own:
        origins["polyai"] = Upstream(Origin("http", "127.0.0.1", own))
        answer = requests.post(f"http://127.0.0.1:{own}/v1/outbound-sms", timeout=PATIENCE)
    assert answer.status_code == 502
    assert "does the address lead back here?" in answer.json()["detail"]
    assert "x-mock-real" not in answer.headers


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://api.vendor.example", "https://api.vendor.example"),
        ("https://api.vendor.example/", "https://api.vendor.example"),
        ("https://API.vendor.example:8443", "https://api.vendor.example:8443"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
        ("http://api.vendor.example", None),
        ("https://user:pass@api.vendor.example", None),
        ("https://api.vendor.example/v2", None),
        ("https://api.vendor.example?a", None),
        ("https://api.vendor.example:port", None),
        ("https://", None),
        ("https://ä.example", None),
        ("api.vendor.example", None),
        ("ftp://127.0.0.1", None),
    ],
)
def test_origins(text: str, read: str | None) -> None:
    """A real vendor is named by scheme and host; no credential goes over plain HTTP but on this machine."""
    origin = Origin.read(text)
    assert (None if origin is None else str(origin)) == read


@pytest.mark.parametrize(
    ("certificates", "told"),
    [
        ("the server's", None),
        ("", "certificate verify failed: unable to get local issuer certificate (_ssl.c"),
        ("", "; where a proxy signs with a CA of its own, SSL_CERT_FILE names a file with that"),
        ("no file", "no CA certificate is in SSL_CERT_FILE="),
        ("no certificate", "no CA certificate is in SSL_CERT_FILE="),
    ],
)
def test_a_ca_of_the_users_own(
    certificates: str, told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vendor behind a company's proxy is trusted by SSL_CERT_FILE; where that is amiss, the error says so."""
    file = tmp_path / "ca.pem"
    with served(create_app(Settings())) as port:
        trust = requests.get(f"http://127.0.0.1:{port}/_mock/trust", timeout=PATIENCE).json()
        if certificates != "no file":
            file.write_text(trust["ca"] if certificates == "the server's" else "nothing", "utf-8")
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            monkeypatch.delenv(name, raising=False)
        if certificates:
            monkeypatch.setenv("SSL_CERT_FILE", str(file))
        upstream = Upstream(Origin("https", "localhost", port))
        asked = upstream.send("POST", b"/v1/outbound-sms", [], b"")
        if told is None:
            assert asyncio.run(asked).status == 401
        else:
            with pytest.raises(UpstreamError, match=re.escape(told)):
                asyncio.run(asked)


def test_an_answer_without_bounds(pair: Pair, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is larger than anybody's is not read to its end."""
    monkeypatch.setattr("mockserver.server.drift.upstream.MAX_ANSWER", 10)
    answer = requests.post(f"{pair.url}/parcels", BODY, headers=key_of(pair), timeout=PATIENCE)
    assert answer.status_code == 502
    assert "has more than 10 bytes" in answer.json()["detail"]


JSON = [(b"content-type", b"application/json")]


@pytest.mark.parametrize(
    ("real", "answer"),
    [
        ((422, JSON, b'{"error": {"code": 2, "text": "Weight is missing"}}'), "depot.send/weight_missing"),
        ((422, JSON, b'{"error": {"code": 9, "text": "Other words"}}'), "depot.send/weight_missing"),
        ((503, JSON, b'{"detail": "Later."}'), None),
        ((503, [(b"content-type", b"text/html")], b"<h1>Later</h1>"), None),
        ((302, [(b"location", b"https://a.example")], b""), None),
        ((204, [], b""), None),
        ((403, [], b""), "depot.send/closed"),
        ((400, JSON, b'{"error": {"code": 1, "text": "Invalid"}}'), "depot.send/invalid"),
    ],
)
def test_which_answer_came(pair: Pair, vendor: Vendor, real: tuple[int, Any, bytes], answer: str | None) -> None:
    """One of this status; else the expected one, if the body is like it; else none, and the contract lacks one."""
    vendor.answer = real
    request: Any = {"data": '{"to": "+12025550199"}', "headers": key_of(pair), "allow_redirects": False}
    assert requests.post(f"{pair.url}/parcels", timeout=PATIENCE, **request).status_code == real[0]
    (call,) = pair.real_calls()
    assert call.answer == answer
    if answer is None:
        told = [(departure.at, departure.contract, departure.real) for departure in call.departures]
        assert (told, call.confirmed) == ([("/status", "no such answer", str(real[0]))], ())


@pytest.mark.parametrize(
    ("headers", "body", "confirmed"),
    [
        (JSON, b'{"error": {"code": 2, "text": "Weight is missing"}}', True),
        (JSON, b'{"message": "How heavy?"}', False),
        (JSON, b'{"error": {"code": 2', False),
        ([(b"content-type", b"text/plain")], b"How heavy?", False),
    ],
)
def test_words_that_did_not_come(pair: Pair, vendor: Vendor, headers: Any, body: bytes, confirmed: bool) -> None:
    """Where the body has another shape, nothing is said of the words that the contract assumes."""
    vendor.answer = (400, headers, body)
    requests.post(f"{pair.url}/parcels", '{"to": "+12025550199"}', headers=key_of(pair), timeout=PATIENCE)
    (call,) = pair.real_calls()
    assert ("text" in call.confirmed) is confirmed


ODD_KEY = "SECRET+of/the=real%20WHOLE"  # characters that are written otherwise in addresses
SECRET_PLACES: dict[str, Any] = {
    "another vendor's header": {"headers": {"X-Polyai-Token": ODD_KEY}},
    "a header that is named so": {"headers": {"X-Api-Token": ODD_KEY, "Apikey": ODD_KEY}},
    "any header": {"headers": {"X-My": f"is {ODD_KEY}"}},
    "query": {"params": {"token": ODD_KEY, "key": ODD_KEY, "any": ODD_KEY}},
    "path": {"path": f"/v3/{quote(ODD_KEY, safe='')}/PROJECT-1/conversations", "method": "GET"},
    "a member": {"json": {"to": "+12025550199", "weight": [f"it is {ODD_KEY}"]}},
    "a member's name": {"json": {ODD_KEY: 1}},
    "the recipient": {"json": {"to": ODD_KEY}},
    "a field": {"data": {"to": ODD_KEY}},
    "a body that cannot be read": {"data": f"{{broken {ODD_KEY}"},
    "a long body": {"json": {"to": "x" * (MAX_MEMBER_SHOWN - 20) + ODD_KEY}},
}


@pytest.fixture
def guarded(pair: Pair, vendor: Vendor, tmp_path: Path) -> Callable[..., str]:
    """Makes a call by way of a server that knows whose key has all kinds of characters: what it writes down of it."""
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps({"id": "real", "vendors": {DEPOT: {"api_key": ODD_KEY}}}), "utf-8")
    recording, log = tmp_path / "real-calls.jsonl", io.StringIO()
    app = create_app(replace(OURS, accounts=accounts))
    app.state.log = CallLog(TextForm(is_coloured=False), log, app.state.mock)
    upstream = Upstream(Origin("http", "127.0.0.1", pair.port))
    forward_real(app, {DEPOT: upstream, "polyai": upstream}, RecordingFile(recording))

    def written(path: str = "/parcels", method: str = "POST", **request: Any) -> str:
        with served(app) as port:
            answer = requests.request(
                method, f"http://127.0.0.1:{port}{path}", timeout=PATIENCE, allow_redirects=False, **request
            )
            assert answer.headers["x-mock-real"] == str(upstream.origin)
        (line,) = recording.read_text("utf-8").splitlines()
        bodies = [json.loads(line)["call"][side]["body_base64"] or "" for side in ("request", "response")]
        texts = [base64.b64decode(body).decode("utf-8", "replace") for body in bodies]
        return "\n".join((line, *texts, log.getvalue()))

    return written


@pytest.mark.parametrize("place", SECRET_PLACES)
def test_the_customers_key_is_written_nowhere(guarded: Callable[..., str], place: str) -> None:
    """A credential that the user gave stands neither in the record nor in the log, wherever the call has it."""
    written = guarded(**SECRET_PLACES[place])
    assert [part for part in ("SECRET", "WHOLE") if part in written] == []


@pytest.mark.parametrize("name", ["X-Key", "X-Api-Token"])
def test_a_presented_credential_is_written_nowhere(guarded: Callable[..., str], name: str) -> None:
    """One that nobody has told of, which a header carries that is made for it, is masked wherever else it stands."""
    written = guarded(headers={name: "SECRET-of-nobody"}, json={"to": "SECRET-of-nobody", "weight": "x"})
    assert "SECRET" not in written


def test_an_address_with_a_token(guarded: Callable[..., str], vendor: Vendor) -> None:
    """What the vendor itself puts into an address is masked by its name there; the rest of the address is read."""
    vendor.answer = (302, [(b"location", b"https://a.example/in?lang=en&token=SECRET#session_id=SECRET")], b"")
    written = guarded(json={"to": "+12025550199", "weight": 5})
    assert "SECRET" not in written
    assert "https://a.example/in?lang=en&token=***" in written


def test_a_departure_that_is_cut_off(guarded: Callable[..., str], vendor: Vendor) -> None:
    """What is shown of a long value has no part of a credential at its end."""
    vendor.answer = (400, [(b"x-two", b"x" * 185 + ODD_KEY.encode())], b"{}")
    assert "SECRET" not in guarded(json={"to": "+12025550199"})


def test_what_a_contract_declares_is_written(guarded: Callable[..., str]) -> None:
    """A header that sounds like a secret and is none, as the contract has it, is needed in fixtures."""
    written = guarded("/v1/outbound-sms", headers={"X-TOKEN-ID": "connector-1"}, json={"message": "no token=here"})
    assert '["x-token-id", "connector-1"]' in written
    assert "no token=here" in written
