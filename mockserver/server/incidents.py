"""What happens on a connection before there is a request, in the journal: as a call that nobody claims."""

import json
from contextlib import suppress

from mockserver.engine.call import Label, RecordedCall, pack_headers
from mockserver.server.control.requests import State
from mockserver.server.wire.incident import Incident
from mockserver.store.kinds import StoreUnavailableError
from mockserver.store.store import UNCLAIMED


async def record_incident(mock: State, incident: Incident) -> None:
    """``CONNECT`` with host and port, or ``TLS`` with the host; its note says what went wrong."""
    refusal = incident.refusal
    head, _, body = (b"" if refusal is None else refusal.rest).partition(b"\r\n\r\n")
    call = RecordedCall(
        account=UNCLAIMED,
        label=Label(status=incident.status, notes=json.dumps([incident.note])),
        recipient="",
        problems="",
        method=incident.method,
        path=incident.target,
        path_params="",
        query=b"",
        headers=pack_headers([(b"user-agent", incident.agent.encode("latin-1"))] if incident.agent else []),
        body=b"",
        response_headers=head,
        response_body=body,
        received_at=mock.sources.now(),
    )
    with suppress(StoreUnavailableError):  # nobody asked for this record, and the store says elsewhere why
        await mock.store.commit(call)
    await mock.store.complete(call, "aborted" if refusal is None else "sent", 0.0)
