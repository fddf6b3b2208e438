"""Clocks and rate limits over HTTP: what can be set, and what is told of a mistake."""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.engine.signing import sign
from mockserver.engine.sources import Sources
from mockserver.server.application import create_app
from mockserver.server.control import accounts
from tests.server.acme_customer import SETTINGS

YEAR = 366 * 86400


@pytest.fixture
def account(client: TestClient) -> str:
    """The control API's path of a fresh account."""
    return f"/_mock/accounts/{client.post('/_mock/accounts').json()['id']}"


def clock_of(client: TestClient, account: str, **how: Any) -> dict[str, Any]:
    """The clock after this."""
    response = client.post(f"{account}/clock", json=how)
    assert response.status_code == 200, response.text
    clock: dict[str, Any] = response.json()
    return clock


def test_clock(client: TestClient, account: str) -> None:
    """Advances add up; a frozen clock can be advanced; let go, it keeps its distance. The account shows the same."""
    assert client.get(account).json()["clock"]["offset"] == 0
    assert clock_of(client, account, advance=90.5)["offset"] == 90.5
    assert clock_of(client, account, advance=YEAR)["offset"] == YEAR + 90.5
    frozen = clock_of(client, account, freeze="2030-01-01T01:00:00+01:00")
    assert (frozen["now"], frozen["frozen"]) == ("2030-01-01T00:00:00.000Z", True)
    assert clock_of(client, account, advance=1)["now"] == "2030-01-01T00:00:01.000Z"
    assert client.get(account).json()["clock"]["now"] == "2030-01-01T00:00:01.000Z"
    assert clock_of(client, account, freeze="2031-05-05")["now"] == "2031-05-05T00:00:00.000Z"
    going = clock_of(client, account, freeze=False)
    assert (going["now"][:16], going["frozen"]) == ("2031-05-05T00:00", False)
    assert clock_of(client, account, freeze=True)["now"][:16] == "2031-05-05T00:00"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({}, "/body", id="nothing"),
        pytest.param({"advance": 1, "freeze": True}, "/body", id="two"),
        pytest.param({"rewind": 1}, "/body/rewind", id="unknown"),
        pytest.param([], "/body", id="list"),
        pytest.param({"advance": "1"}, "/body/advance", id="text"),
        pytest.param({"advance": True}, "/body/advance", id="boolean"),
        pytest.param({"advance": None}, "/body/advance", id="null"),
        pytest.param({"advance": -0.1}, "/body/advance", id="back"),
        pytest.param({"advance": YEAR + 1}, "/body/advance", id="too-far"),
        pytest.param({"freeze": None}, "/body/freeze", id="freeze-null"),
        pytest.param({"freeze": 5}, "/body/freeze", id="freeze-number"),
        pytest.param({"freeze": 1}, "/body/freeze", id="freeze-one"),
        pytest.param({"freeze": "tomorrow"}, "/body/freeze", id="no-time"),
        pytest.param({"freeze": "1969-12-31T23:59:59Z"}, "/body/freeze", id="before-1970"),
        pytest.param({"freeze": "9000-01-01T00:00:01Z"}, "/body/freeze", id="after-9000"),
    ],
)
def test_mistakes_about_clocks(client: TestClient, account: str, body: Any, pointer: str) -> None:
    """Each mistake is refused with its place, and time goes on as before."""
    refused = client.post(f"{account}/clock", json=body)
    assert (refused.status_code, refused.json()["pointer"]) == (400, pointer)
    assert client.get(account).json()["clock"]["offset"] == 0


def test_the_end_of_time(client: TestClient, account: str) -> None:
    """Advances do not lead to where no time can be written any more."""
    clock_of(client, account, freeze="8999-12-31T00:00:00Z")
    clock_of(client, account, advance=86400)
    refused = client.post(f"{account}/clock", json={"advance": 1})
    assert (refused.status_code, refused.json()["pointer"]) == (400, "/body/advance")


def test_the_description_has_the_bound(client: TestClient, account: str) -> None:
    """What the control API's own document allows is what is accepted."""
    document = client.get("/_mock/openapi.json").json()["paths"]["/_mock/accounts/{id}/clock"]["post"]
    schema = document["requestBody"]["content"]["application/json"]["schema"]["properties"]["advance"]
    assert (schema["minimum"], schema["maximum"]) == (0, YEAR)


@pytest.mark.parametrize(("path", "method"), [("clock", "POST"), ("limits", "PUT")])
def test_nobodys(client: TestClient, path: str, method: str) -> None:
    """An account that is not there has neither."""
    refused = client.request(method, f"/_mock/accounts/nobody/{path}", json={})
    assert (refused.status_code, refused.json()["pointer"]) == (404, "/path/id")


@dataclass
class Instant:
    """A server whose time stands, but for its waits; what happens while it waits."""

    client: TestClient = field(init=False)
    now: float = 1000.25
    waits: list[float] = field(default_factory=list)
    meanwhile: Callable[[], Coroutine[Any, Any, None]] | None = None

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        if self.meanwhile is not None:
            await self.meanwhile()

    def jump(self, account: str, **how: Any) -> int:
        """The status of setting a clock."""
        return self.client.post(f"/_mock/accounts/{account}/clock", json=how).status_code

    def present(self, token: str, account: str = "default") -> None:
        """A request with a token of an account; each name is another token."""
        record = self.client.get(f"/_mock/accounts/{account}").json()["vendors"]["acme"]["credentials"]["clients"][0]
        claims = {"name": token, "iss": "fixed", "exp": 10**10}
        signed = sign({"alg": "HS256", "kid": record["id"]}, claims, record["secret"])
        self.client.post("/base/kid", headers={"X-Token": signed})


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Instant]:
    found = Instant()
    app = create_app(SETTINGS, Sources(lambda: found.now, lambda: "uuid", lambda: 1))
    monkeypatch.setattr(accounts, "sleep", found.sleep)
    with TestClient(app, base_url="http://localhost") as found.client:
        yield found


def test_a_jump_waits_for_other_tokens(instant: Instant) -> None:
    """Tokens tell whole seconds: one signed right after a jump must not be, to the letter, one from before it."""
    assert instant.jump("default", advance=1) == 200
    assert instant.waits == []
    for token, how in (("one", {"advance": 1}), ("two", {"freeze": "2030-01-01"})):
        second = int(instant.now)
        instant.present(token)
        assert instant.jump("default", **how) == 200
        assert instant.now > second + 1
        assert instant.jump("default", **how) == 200
    assert len(instant.waits) == 2
    instant.present("one")
    instant.present("new", "second")
    assert instant.jump("default", advance=1) == 200
    assert len(instant.waits) == 2, "a token that came before, and another account's, need no wait"


def test_to_stop_and_go_on_is_no_jump(instant: Instant) -> None:
    """Where time does not jump, no token is older than it says, and nothing waits."""
    instant.present("one")
    assert (instant.jump("default", freeze=True), instant.jump("default", freeze=False)) == (200, 200)
    assert instant.waits == []


def test_an_account_that_goes_meanwhile(instant: Instant) -> None:
    """A clock is not set for an account that was deleted while its jump waited: one of its name would begin with it."""
    store = instant.client.app.store  # type: ignore[attr-defined]
    instant.client.post("/_mock/accounts", json={"id": "gone"})
    instant.meanwhile = lambda: store.remove_account("gone")
    instant.present("one", "gone")
    assert instant.jump("gone", advance=5) == 404
    assert len(instant.waits) == 1
    instant.client.post("/_mock/accounts", json={"id": "gone"})
    assert instant.client.get("/_mock/accounts/gone").json()["clock"]["offset"] == 0


LIMITS = {
    "polyai": {"operation": "polyai.send_sms", "by": None, "requests": 100, "seconds": 60, "remaining": 100, "wait": 0},
    "koreai": {"operation": "koreai.send_sms", "by": None, "requests": 60, "seconds": 60, "remaining": 60, "wait": 0},
}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({}, [], id="none"),
        pytest.param({"polyai": True}, [LIMITS["polyai"]], id="vendor"),
        pytest.param({"polyai.send_sms": {}}, [LIMITS["polyai"]], id="operation"),
        pytest.param({"koreai": True, "polyai": True}, list(LIMITS.values())[::-1], id="both"),
        pytest.param(
            {"polyai": {"requests": 2}}, [{**LIMITS["polyai"], "requests": 2, "remaining": 2}], id="other-number"
        ),
        pytest.param({"polyai": {"seconds": 0.5}}, [{**LIMITS["polyai"], "seconds": 0.5}], id="other-window"),
        pytest.param({"polyai": True, "polyai.send_sms": False}, [], id="the-later-wins"),
    ],
)
def test_limits(client: TestClient, account: str, body: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    """What the contract documents, or a test's own figures; the account shows what is left."""
    response = client.put(f"{account}/limits", json=body)
    assert (response.status_code, response.json()) == (200, {"limits": expected})
    assert client.get(account).json()["limits"] == expected
    assert client.put(f"{account}/limits", json=dict.fromkeys(body, False)).json() == {"limits": []}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({"nobody": True}, "/body/nobody", id="unknown"),
        pytest.param({"a/b": True}, "/body/a~1b", id="unknown-escaped"),
        pytest.param({"opentact": True}, "/body/opentact", id="vendor-without-limit"),
        pytest.param({"opentact.send_sms": True}, "/body/opentact.send_sms", id="operation-without-limit"),
        pytest.param({"polyai": 1}, "/body/polyai", id="number"),
        pytest.param({"polyai": None}, "/body/polyai", id="null"),
        pytest.param({"polyai": {"per": 1}}, "/body/polyai", id="unknown-member"),
        pytest.param({"polyai": {"requests": 0}}, "/body/polyai/requests", id="none-at-all"),
        pytest.param({"polyai": {"requests": 1.5}}, "/body/polyai/requests", id="half-a-request"),
        pytest.param({"polyai": {"requests": True}}, "/body/polyai/requests", id="requests-boolean"),
        pytest.param({"polyai": {"requests": 10**6 + 1}}, "/body/polyai/requests", id="too-many"),
        pytest.param({"polyai": {"seconds": 0}}, "/body/polyai/seconds", id="no-window"),
        pytest.param({"polyai": {"seconds": True}}, "/body/polyai/seconds", id="seconds-boolean"),
        pytest.param({"polyai": {"seconds": 86401}}, "/body/polyai/seconds", id="window-too-long"),
        pytest.param([], "/body", id="list"),
    ],
)
def test_mistakes_about_limits(client: TestClient, account: str, body: Any, pointer: str) -> None:
    """Each mistake is refused with its place, and what was right beside it is not done either."""
    written = {"koreai": True, **body} if isinstance(body, dict) else body
    refused = client.put(f"{account}/limits", json=written)
    assert (refused.status_code, refused.json()["pointer"]) == (400, pointer)
    assert client.get(account).json()["limits"] == []
