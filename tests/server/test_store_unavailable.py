"""What the server does on its own account when the store cannot keep it: no error, no half-done work."""

import asyncio
import gc
from pathlib import Path
from typing import Any

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
