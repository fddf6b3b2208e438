"""Callbacks as a test sees them: what was sent, and what an application without a port is to be given."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.testing.call import Call, Headers
from mockserver.testing.caller import refuse_to_block
from mockserver.testing.calls import AccountCalls, Calls
from mockserver.testing.client import segment
from mockserver.testing.in_process import Run, call_asgi, call_wsgi, is_asgi
from mockserver.testing.names import Public


@dataclass(frozen=True)
class CallbackRequest(Public):
    """A request that a vendor makes, to be made by a test. Nothing in it is masked, so that its signature is right."""

    operation: str
    method: str
    url: str
    headers: Headers
    body: bytes

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "CallbackRequest":
        """Of the control API's shape."""
        body = base64.b64decode(data["body_base64"])
        return cls(data["operation"], data["method"], data["url"], Headers(data["headers"]), body)

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError if it is none."""
        return json.loads(self.body)


@dataclass(frozen=True)
class CallbackReply(Public):
    """What an application answered to a callback."""

    request: CallbackRequest
    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError if it is none."""
        return json.loads(self.body)


class Callbacks(Public):
    """The callbacks of an account.

    Those to this machine are sent by the server, as are those to hosts that it was allowed to call. The others are
    withheld: a test can take them, or deliver them to an application in its own process.
    """

    def __init__(self, journal: AccountCalls) -> None:
        self._journal = journal
        self._path = f"accounts/{segment(journal.account)}/callbacks"

    @property
    def calls(self) -> Calls:
        """All attempts, oldest first. They count as read."""
        return self._journal.calls(direction="out")

    def take(self) -> list[CallbackRequest]:
        """The callbacks that were withheld, oldest first, each once. What is due by the clock is made first."""
        taken = self._journal.control.post(f"{self._path}/take")["callbacks"]
        return [CallbackRequest.of(data) for data in taken]

    def deliver_to(self, app: Any) -> list[CallbackReply]:
        """Give the callbacks that were withheld to a WSGI or ASGI application; returns what it answered.

        Whatever the application raises comes out here. An ASGI application's lifespan is not run.
        """
        import asyncio  # noqa: PLC0415 -- takes 30 ms, and many tests never need it

        if is_asgi(app):
            refuse_to_block("deliver_to of an ASGI application", "callbacks.deliver_to(app)")
        with asyncio.Runner() as runner:
            return replies_of(app, self.take(), runner.run)

    def redeliver(self, call: Call) -> None:
        """Send a recorded callback once more, the same. Raises ControlError."""
        self._journal.control.post(f"{self._path}/{segment(call.id)}")

    def __repr__(self) -> str:
        return f"<Callbacks of account {self._journal.account}>"


def replies_of(app: Any, requests: Iterable[CallbackRequest], run: Run) -> list[CallbackReply]:
    """Give requests to an application, one after the other; ``run`` lets an ASGI application answer."""
    replies = []
    for request in requests:
        given = (app, request.method, request.url, list(request.headers.items()), request.body)
        status, headers, body = run(call_asgi(*given)) if is_asgi(app) else call_wsgi(*given)
        replies.append(CallbackReply(request, status, Headers([list(pair) for pair in headers]), body))
    return replies
