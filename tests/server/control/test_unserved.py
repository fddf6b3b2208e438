"""A vendor that is not served any more, though the store still has calls, callbacks and pins of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mockserver.engine.call import pack_more
from mockserver.server.application import create_app
from mockserver.server.control.exports import EXPORTS
from tests.engine.workbench import recorded
from tests.server.acme_customer import SETTINGS

TWO_WAY = Path(__file__).parents[2] / "twoway"


@pytest.fixture
def later(tmp_path: Path) -> Iterator[TestClient]:
    """A server of one vendor, with the store of one that had served another."""
    store = str(tmp_path / "calls.db")
    app = create_app(replace(SETTINGS, contracts=(TWO_WAY,), store=store))
    with TestClient(app, base_url="http://localhost") as client:
        client.post("/_mock/accounts", json={"id": "one"}).raise_for_status()
        client.put("/_mock/pins/parcel.send_message", json={"account": "one", "answers": ["sent"]}).raise_for_status()
        more = pack_more(url="http://localhost:9/", cause=1, attempt=1)
        sent = {"operation": "parcel.send_message", "answer": "parcel.send_message/sent", "accepted": True}
        for parts in (sent, {"operation": "parcel.status", "direction": "out", "more": more}):
            assert client.portal is not None
            assert client.portal.call(app.store.commit, recorded(account="one", vendor="parcel", **parts))
    with TestClient(create_app(replace(SETTINGS, store=store)), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/calls",
        *(f"/calls?format={form}" for form in ("summary", *EXPORTS)),
        "/calls?contains=x",
        "/messages?account=*",
        "/messages?account=one",
        "/accounts",
        "/accounts/one",
        "/pins",
        "/coverage",
        "/metrics",
        "/events?within=0",
    ],
)
def test_it_can_be_read(later: TestClient, path: str) -> None:
    """What was recorded is shown; of its messages nobody knows the texts."""
    assert later.get(f"/_mock{path}").status_code == 200


def test_it_can_be_asked_for(later: TestClient) -> None:
    """Its calls count for whoever asks for any vendor's; they can be told why, and cleared."""
    told, sent = later.get("/_mock/calls").json()["calls"]
    assert (sent["vendor"], told["operation"]) == ("parcel", "parcel.status")
    for call in (sent, told):
        assert later.get(f"/_mock/calls/{call['id']}").status_code == 200
        assert later.get(f"/_mock/calls/{call['id']}/why").status_code == 200
    for count in (1, 5):
        question = {"account": "one", "count": {"exactly": count}}
        verdict = later.post("/_mock/calls/verify", json=question)
        assert verdict.json()["verified"] is (count == 1), verdict.text
    again = later.post(f"/_mock/accounts/one/callbacks/{told['id']}")
    assert again.status_code == 404
    assert again.json()["detail"] == "no contract that is served has the callback parcel.status any more"
    assert later.delete("/_mock/calls?account=one").status_code == 204
