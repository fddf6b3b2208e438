"""What the server does on its own account when the store cannot keep it: no error, no half-done work."""

import asyncio
import gc
import io
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.engine.call import pack_more
from mockserver.server.application import Application, create_app
from mockserver.server.settings import Settings
from mockserver.server.wire.incident import Incident
from mockserver.store.journal import Query
from tests.engine.workbench import recorded

TWO_WAY = Path(__file__).parents[1] / "twoway"


async def closed(folder: Path) -> Application:
    """An application whose store is closed, as it is when a server ends."""
    app = create_app(Settings(contracts=(TWO_WAY,), builtin=False, store=str(folder / "calls.db")))
    await app.store.close()
    return app


def test_an_incident(tmp_path: Path) -> None:
    """What nobody asked for is not recorded, and that is all."""

    async def scenario() -> None:
        app = await closed(tmp_path)
        await app.record(Incident("TLS", "api.parcel.test", "", 0, "a note"))
        assert (await app.store.calls(Query())).calls == ()

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/messages", "/nowhere"])
def test_a_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """It is refused in our own words, has its line in the log, and counts; the server says that it is not ready."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    app = create_app(Settings(contracts=(TWO_WAY,), builtin=False, store=str(tmp_path / "calls.db"), log="text"))
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/_mock/health").status_code == 200
        assert client.portal is not None
        client.portal.call(app.store.close)
        refused = client.post(path, json={}, headers={"X-Key": "secret-key"})
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        assert client.get("/_mock/health").json()["status"] == "unavailable"
        figures = client.get("/_mock/metrics").text.splitlines()
    assert {"mockserver_unavailable_total 1", "mockserver_store_usable 0"} <= {*figures}
    why = f"{tmp_path / 'calls.db'} is closed, as its server has ended: start the server again"
    told = f"mockserver: {why}; until the store can be used again, calls get 503"
    assert stream.getvalue().splitlines() == [told, f"mockserver: POST {path} 503: {why}"]


def test_a_callback(tmp_path: Path) -> None:
    """It is not made, since nobody would know of it."""
    complaints: list[dict[str, Any]] = []

    async def scenario() -> None:
        app = await closed(tmp_path)
        asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
        more = pack_more(url="http://localhost:9/", cause=1, attempt=1)
        call = recorded(account="default", operation="parcel.status", direction="out", more=more)
        app.state.mock.courier.redeliver(call)
        await asyncio.sleep(0.01)
        gc.collect()
        assert (await app.store.calls(Query())).calls == ()

    asyncio.run(scenario())
    assert complaints == []
