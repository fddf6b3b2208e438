"""Contracts of further real vendors, written from their public documents: each is tried as its author would."""

from pathlib import Path

from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.settings import Settings
from tests.cli.running import invoke

FOLDER = Path(__file__).parent
CONTRACTS, FIXTURES = FOLDER / "contracts", FOLDER / "fixtures"


def test_contracts_are_right() -> None:
    """`check` and `test` find nothing."""
    where = ("--no-builtin", "--contracts", CONTRACTS, "--fixtures", FIXTURES)
    assert invoke("contract", "check", *where).exit_code == 0
    ended = invoke("contract", "test", *where)
    assert (ended.exit_code, ended.stdout.count(" 0 findings")) == (0, len(list(CONTRACTS.glob("*.yaml")))), (
        ended.stdout
    )


def test_what_was_sent_by_twilio_is_read_back() -> None:
    """A fresh customer's message is shown by its SID and listed; another customer finds neither."""
    with TestClient(create_app(Settings(contracts=(CONTRACTS,), builtin=False)), base_url="http://localhost") as client:
        mine, theirs = (client.post("/_mock/accounts", json={}).json()["vendors"]["twilio"] for _ in range(2))
        for part, status in ((mine, 200), (theirs, 404)):
            login = {"Authorization": part["tokens"]["AccountSidAuthToken"]}
            root = f"/2010-04-01/Accounts/{(part['owned'] | part['credentials'])['accounts'][0]['sid']}/Messages"
            if part is mine:
                sent = client.post(f"{root}.json", data={"To": "+12025550123", "Body": "Hi"}, headers=login).json()
            assert client.get(f"{root}/{sent['sid']}.json", headers=login).status_code == status
            listed = client.get(f"{root}.json?PageSize=5", headers=login).json()["messages"]
            assert [message["sid"] for message in listed] == ([sent["sid"]] if part is mine else [])
            assert root in sent["uri"] or part is theirs
