"""What a test expects to have been called, held against recorded calls."""

from dataclasses import dataclass, field
from typing import Any

from mockserver.exchange.bodies import Unreadable, read_form, read_json, read_multipart
from mockserver.exchange.call import Call, unpack_headers, unpack_params
from mockserver.exchange.match import Difference, Pattern, differences
from mockserver.exchange.request import Request, read_query
from mockserver.spec.functions import digits
from mockserver.spec.pointer import MISSING


@dataclass(frozen=True, slots=True)
class Expectation:
    """Each part that is not None must be the call's; ``since`` in Unix seconds."""

    vendor: str | None = None
    operation: str | None = None
    answer: str | None = None
    accepted: bool | None = None
    recipient: str | None = None
    since: float | None = None
    pattern: Pattern = field(default_factory=Pattern)

    def differences(self, call: Call) -> list[Difference]:
        """Where a call is not what was expected; what is cheap to compare first."""
        found = self._outer(call)
        if self.pattern:
            found += differences(self.pattern, recorded(call))
        return found

    def fits(self, call: Call) -> bool:
        """Whether there is no difference, without decoding a call that differs anyway."""
        return not self._outer(call) and (not self.pattern or not differences(self.pattern, recorded(call)))

    def concerns(self, call: Call) -> bool:
        """Whether a call is near enough to be told of: of this vendor or operation, and not too old."""
        if self.since is not None and call.received_at < self.since:
            return False
        return (self.vendor is None or call.vendor == self.vendor) and (
            self.operation is None or call.operation == self.operation
        )

    def _outer(self, call: Call) -> list[Difference]:
        found: list[Difference] = []
        if self.vendor is not None and call.vendor != self.vendor:
            found.append(Difference("/vendor", self.vendor, call.vendor))
        if self.operation is not None and call.operation != self.operation:
            found.append(Difference("/operation", self.operation, call.operation))
        if self.answer is not None and self.answer not in {call.answer, call.answer.rpartition("/")[2]}:
            found.append(Difference("/answer", self.answer, call.answer))
        if self.accepted is not None and bool(call.accepted) is not self.accepted:
            found.append(Difference("/accepted", self.accepted, bool(call.accepted)))
        if self.recipient is not None:
            number = digits(self.recipient)
            if not number or number != digits(call.recipient):  # without digits it is nobody's
                found.append(Difference("/recipient", self.recipient, call.recipient or MISSING))
        if self.since is not None and call.received_at < self.since:
            found.append(Difference("/received_at", self.since, call.received_at))
        return found


def recorded(call: Call) -> dict[str, Any]:
    """A call's request as patterns see it."""
    return _seen(call.path, unpack_params(call.path_params), call.query, call.headers, call.reads, call.body)


def received(request: Request) -> dict[str, Any]:
    """A request as patterns will see it once it is recorded."""
    arrival = request.arrival
    return _seen(arrival.path, arrival.path_params, arrival.query, arrival.headers, request.reads, arrival.body)


def _seen(  # noqa: PLR0913, PLR0917 -- the parts of a request
    path: str, path_params: dict[str, str], query: bytes, packed: bytes, reads: str, body: bytes
) -> dict[str, Any]:
    """As it was sent, text being text; a form's fields count as body and as query."""
    headers = {name.lower(): value for name, value in unpack_headers(packed)}
    seen: dict[str, Any] = {
        "path": path,
        "path_params": path_params,
        "query": dict(read_query(query)) if query else {},
        "headers": headers,
    }
    try:
        if reads in {"form", "multipart"}:
            content_type = headers.get("content-type", "").encode("latin-1")
            fields = dict(read_multipart(body, content_type) if reads == "multipart" else read_form(body))
            seen["body"] = fields
            seen["query"] = {**fields, **seen["query"]}
        elif body:
            seen["body"] = read_json(body)
    except Unreadable:
        seen["body"] = body.decode("utf-8", "replace")
    return seen
