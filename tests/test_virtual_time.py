"""An account's time: what grows old by it, and how a client that waits as it is told gets through.

Real time moves only when a test moves it, so nothing here waits.
"""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.engine.sources import Sources
from mockserver.server.application import Application, create_app
from mockserver.server.control import accounts
from tests.evidence import ROOT, Replay, load_case

LIFE = 3600.0  # seconds that a fixture's token lives
DAY = 86400.0

EXPIRING = [pytest.param("koreai", "sent_sdk_claims", "unauthorized_expired", id="koreai")]
EXPIRING += [pytest.param("voximplant", "urlencoded", "token_expired", id="voximplant")]
LIMITED = [pytest.param("koreai", "sent_sdk_claims", "rate_limited_magic", id="koreai")]
LIMITED += [pytest.param("polyai", "page_sample", "magic_rate_limited", id="polyai")]


def case_of(vendor: str, name: str) -> dict[str, Any]:
    """An exchange under ``fixtures/``."""
    return load_case(ROOT / "fixtures" / vendor / "send_sms" / f"{name}.yaml")


class Hand:
    """The real time, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.25


@dataclass(frozen=True)
class Customer:
    """An account, whose client writes its requests by the real time."""

    app: Application
    client: TestClient
    real: Hand
    id: str

    def written(self, vendor: str, name: str, tokens: Any = None) -> Any:
        """A fixture's request; ``tokens`` are ready ones, in place of freshly signed ones."""
        account = asyncio.run(self.app.store.account(self.id))
        assert account is not None
        contract = next(contract for contract in self.app.contracts if contract.vendor == vendor)
        case = case_of(vendor, name)
        replay = Replay(contract, {"default": account}, lambda: self.real.now)
        return replay.request(_handed(case, tokens) if tokens else case)

    def send(self, sent: Any) -> Any:
        """The response to a request as it was written then."""
        return self.client.request(sent.method, sent.url, headers=sent.headers, content=sent.content)

    def answer(self, sent: Any) -> str:
        return str(self.send(sent).headers["x-mock-answer"])

    def set_clock(self, **how: Any) -> dict[str, Any]:
        """The clock after it was advanced or frozen."""
        changed = self.client.post(f"/_mock/accounts/{self.id}/clock", json=how)
        assert changed.status_code == 200, changed.text
        clock: dict[str, Any] = changed.json()
        return clock

    def put_limits(self, **limits: Any) -> None:
        response = self.client.put(f"/_mock/accounts/{self.id}/limits", json=limits)
        assert response.status_code == 200, response.text

    @property
    def shape(self) -> dict[str, Any]:
        """The account as it is shown."""
        shape: dict[str, Any] = self.client.get(f"/_mock/accounts/{self.id}").json()
        return shape


def _handed(node: Any, tokens: dict[str, str]) -> Any:
    """A fixture's request with each token to be signed replaced by the one handed out."""
    if isinstance(node, dict):
        return tokens[node["token"]] if "token" in node else {k: _handed(v, tokens) for k, v in node.items()}
    return [_handed(item, tokens) for item in node] if isinstance(node, list) else node


@pytest.fixture(scope="module")
def real() -> Hand:
    return Hand()


@pytest.fixture(scope="module")
def app(real: Hand) -> Iterator[Application]:
    ids = itertools.count(1)

    async def sleep(seconds: float) -> None:
        assert 0 < seconds < 1.1
        real.now += seconds

    sources = Sources(lambda: real.now, lambda: "uuid", lambda: next(ids))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "sleep", sleep)
        yield create_app(sources=sources)


@pytest.fixture(scope="module")
def client(app: Application) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def fresh(app: Application, client: TestClient, real: Hand) -> Customer:
    return Customer(app, client, real, client.post("/_mock/accounts").json()["id"])


@pytest.fixture
def customer(app: Application, client: TestClient, real: Hand) -> Customer:
    return fresh(app, client, real)


@pytest.fixture
def other(app: Application, client: TestClient, real: Hand) -> Customer:
    return fresh(app, client, real)


@pytest.mark.parametrize(("vendor", "good", "expired"), EXPIRING)
def test_tokens_expire(customer: Customer, other: Customer, vendor: str, good: str, expired: str) -> None:
    """After an advance a token from before has expired, and a refreshed one is good; time and again, in no time."""
    yes, no = case_of(vendor, good)["answer"], case_of(vendor, expired)["answer"]
    elsewhere = other.written(vendor, good)
    for _ in range(3):
        old = customer.written(vendor, good)
        assert customer.answer(old) == yes
        customer.set_clock(advance=LIFE - 10)
        assert customer.answer(old) == yes
        customer.set_clock(advance=20)
        response = customer.send(old)
        assert response.headers["x-mock-answer"] == no
        assert "expired" in response.headers["x-mock-problem"]
        assert customer.answer(customer.written(vendor, good)) == yes
    assert other.answer(elsewhere) == yes


@pytest.mark.parametrize(("vendor", "good", "expired"), EXPIRING)
def test_time_stands_still(customer: Customer, real: Hand, vendor: str, good: str, expired: str) -> None:
    """While a clock is frozen no token grows old, whenever it was made; let go, each lives on for what it had left."""
    yes, no = case_of(vendor, good)["answer"], case_of(vendor, expired)["answer"]
    first = customer.written(vendor, good)
    assert customer.answer(first) == yes
    customer.set_clock(freeze=True)
    real.now += DAY
    second = customer.written(vendor, good)
    assert (customer.answer(first), customer.answer(second)) == (yes, yes)
    real.now += DAY
    assert (customer.answer(first), customer.answer(second)) == (yes, yes)
    customer.set_clock(freeze=False)
    real.now += LIFE - 10
    assert (customer.answer(first), customer.answer(second)) == (yes, yes)
    real.now += 20
    assert (customer.answer(first), customer.answer(second)) == (no, no)


@pytest.mark.parametrize("how", [{"advance": 30 * DAY}, {"freeze": "2035-06-01T12:00:00Z"}, {"freeze": "1999-01-01"}])
@pytest.mark.parametrize(("vendor", "good"), [pytest.param(*case.values[:2], id=case.id) for case in EXPIRING])
def test_tokens_handed_out(customer: Customer, how: dict[str, Any], vendor: str, good: str) -> None:
    """The ready tokens of an account are good by its own clock, whatever that shows."""
    customer.set_clock(**how)
    customer.real.now += 60
    handed = customer.written(vendor, good, customer.shape["vendors"][vendor]["tokens"])
    assert customer.answer(handed) == case_of(vendor, good)["answer"]


@pytest.mark.parametrize(("vendor", "good", "limited"), LIMITED)
def test_rate_limits(customer: Customer, other: Customer, vendor: str, good: str, limited: str) -> None:
    """Off until switched on; then as many as the contract says, the vendor's refusal, and one more after the wait."""
    contract = next(contract for contract in customer.app.contracts if contract.vendor == vendor)
    limit = next(operation.rate_limit for operation in contract.operations if operation.name == "send_sms")
    assert limit is not None
    yes, no = case_of(vendor, good)["answer"], case_of(vendor, limited)
    assert {customer.answer(customer.written(vendor, good)) for _ in range(limit.requests + 1)} == {yes}
    for account in (customer, other):
        account.put_limits(**{vendor: True})
        account.set_clock(freeze=True)  # so that a minute is one to the millisecond
    assert {customer.answer(customer.written(vendor, good)) for _ in range(limit.requests)} == {yes}
    refused = customer.send(customer.written(vendor, good))
    assert (refused.headers["x-mock-answer"], refused.status_code) == (no["answer"], no["response"]["status"])
    assert refused.json() == no["response"]["json"]
    assert refused.headers["x-mock-problem"] == "limited /limit"
    budget = customer.shape["limits"][0]
    assert (budget["remaining"], budget["wait"]) == (0, limit.seconds)
    assert ("retry-after" in refused.headers) == ("Retry-After" in no["response"].get("headers", {}))
    assert other.answer(other.written(vendor, good)) == yes
    customer.set_clock(advance=int(refused.headers.get("retry-after", limit.seconds)) - 1)
    assert customer.answer(customer.written(vendor, good)) == no["answer"]
    customer.set_clock(advance=1)
    assert customer.answer(customer.written(vendor, good)) == yes
    assert customer.shape["limits"][0]["remaining"] == limit.requests - 1


def test_another_window(customer: Customer) -> None:
    """A window may be made small, slides by real time too, and is forgotten when it is switched off."""
    _, good, limited = LIMITED[1].values
    customer.put_limits(polyai={"requests": 2, "seconds": 10})

    def statuses(number: int) -> list[int]:
        return [customer.send(customer.written("polyai", str(good))).status_code for _ in range(number)]

    yes, no = 202, case_of("polyai", str(limited))["response"]["status"]
    assert statuses(3) == [yes, yes, no]
    customer.real.now += 4
    refused = customer.send(customer.written("polyai", str(good)))
    assert (refused.status_code, refused.headers["retry-after"]) == (no, "6")
    customer.set_clock(freeze=True)
    customer.real.now += DAY
    assert statuses(1) == [no]
    customer.set_clock(advance=6)
    assert statuses(3) == [yes, yes, no]
    customer.put_limits(polyai=False)
    assert statuses(5) == [yes] * 5
    assert customer.shape["limits"] == []


def test_times_in_answers(customer: Customer, other: Customer) -> None:
    """The times that a vendor writes are the account's; the journal's are real, so that calls stay in order."""
    customer.set_clock(freeze="2035-06-01T12:00:00Z")
    payload = customer.send(customer.written("opentact", "shortest")).json()["payload"]
    assert payload["created_on"] == payload["modified_on"] == "2035-06-01T12:00:00.000Z"
    elsewhere = other.send(other.written("opentact", "shortest")).json()["payload"]
    assert elsewhere["created_on"].startswith("2027-01-")
    call = customer.client.get("/_mock/calls", params={"account": customer.id}).json()["calls"][0]
    assert call["received_at"].startswith("2027-01-")


def test_reset_gives_the_real_time_back(customer: Customer) -> None:
    """A reset account has the real time and no limits, and says so."""
    customer.put_limits(polyai=True)
    assert customer.set_clock(advance=5)["offset"] == customer.shape["clock"]["offset"] == 5
    customer.client.post(f"/_mock/accounts/{customer.id}/reset")
    shape = customer.shape
    assert (shape["clock"]["offset"], shape["clock"]["frozen"], shape["limits"]) == (0, False, [])
