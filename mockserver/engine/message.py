"""A message as a person sees it: who it comes from and goes to, and its text. It is read from the call that sent it."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from mockserver.engine.account import AccountData, Owner
from mockserver.engine.call import RecordedCall, unpack_params
from mockserver.engine.choice import check_owned
from mockserver.engine.credentials import Claim
from mockserver.engine.facts import Facts
from mockserver.engine.recipient import recipients_of
from mockserver.engine.request import Arrival, ParsedRequest, RequestParser
from mockserver.engine.sources import Sources
from mockserver.engine.values import Context, Make, ValueCompiler
from mockserver.spec.functions import as_text, encoding_of, sms_segments
from mockserver.spec.model import Contract, OperationSpec, Sms
from mockserver.spec.pointer import MISSING

ACCEPTED, RECEIVED = "accepted", "received"  # states that a message begins with


class Message(msgspec.Struct, frozen=True):
    """One SMS; None stands for what nobody can know. ``call`` is the number of the call that sent or brought it.

    ``index`` is its place among the messages of the call, ``operation`` the one that was called, "" for an inbound
    message. ``at`` is in Unix seconds.
    """

    account: str
    vendor: str
    direction: Literal["outbound", "inbound"]
    sender: str | None
    recipient: str | None
    text: str | None
    state: str
    call: int
    index: int
    at: float
    operation: str = ""

    @property
    def segments(self) -> int | None:
        """How many SMS the text takes."""
        return None if self.text is None else sms_segments(self.text)

    @property
    def encoding(self) -> str | None:
        """``GSM-7`` or ``UCS-2``."""
        return None if self.text is None else encoding_of(self.text)


class MessageReader:
    """Reads messages from the calls that sent them."""

    def __init__(self, contracts: Iterable[Contract], parser: RequestParser, sources: Sources) -> None:
        compile_value = ValueCompiler().compile
        self._parser = parser
        self._sources = sources
        self._operations: dict[str, list[OperationSpec]] = {}
        self._values: dict[str, tuple[Make | None, Make | None]] = {}
        for contract in contracts:
            for operation in contract.operations:
                if operation.message is not None:
                    self._operations.setdefault(operation.id, []).append(operation)
                    self._values[operation.id] = _makers(operation.message, compile_value)

    def read(
        self, call: RecordedCall, account: AccountData, owners: Mapping[Claim, Owner], now: float
    ) -> list[Message]:
        """The messages that a call of an account sent; none where it was refused or sends none."""
        operation = self._operation(call)
        if operation is None or not call.accepted:
            return []
        request = self._parser.parse(operation, _arrival(call))
        view = _view(request, account, owners, now)
        context = Context(view, None, self._sources, call.received_at)
        sender, text = (None if make is None else make(context) for make in self._values[operation.id])
        entries = [entry for entry in recipients_of(operation, view) if entry["accepted"]]
        several = operation.recipient is not None and operation.recipient.is_several
        numbers = [entry["to"] for entry in entries] if several else [call.recipient or None]
        return [
            Message(
                account=account.id,
                vendor=call.vendor,
                direction="outbound",
                sender=_text(sender),
                recipient=number,
                text=_text(text),
                state=ACCEPTED,
                call=call.number,
                index=index,
                at=call.received_at,
                operation=call.operation,
            )
            for index, number in enumerate(numbers)
        ]

    def _operation(self, call: RecordedCall) -> OperationSpec | None:
        """The spelling of the operation that the call is of: the one with the same method and path parameters."""
        spellings = self._operations.get(call.operation, [])
        names = unpack_params(call.path_params).keys()
        alike = (o for o in spellings if o.method == call.method and names == _path_names(o))
        return next(alike, spellings[0] if spellings else None)


def _makers(message: Sms, compile_value: Any) -> tuple[Make | None, Make | None]:
    """How a message's sender and text are made; None for what nobody can know."""
    sender = None if message.sender is None else compile_value(message.sender)
    return sender, None if message.text is None else compile_value(message.text)


def _path_names(operation: OperationSpec) -> set[str]:
    return {parameter.name for parameter in operation.parameters if parameter.where == "path"}


def _arrival(call: RecordedCall) -> Arrival:
    params = unpack_params(call.path_params)
    return Arrival(call.method, call.path, params, call.query, call.headers, call.body, 0)


def _view(request: ParsedRequest, account: AccountData, owners: Mapping[Claim, Owner], now: float) -> dict[str, Any]:
    """What the values of a call read; its credentials were verified when it came."""
    bound: dict[str, Any] = {}
    for scheme, credential in request.credentials.items():
        owner = owners.get(credential.claim) if credential.claim is not None else None
        if owner is not None and owner.account.id == account.id:
            bound[scheme.binds] = owner.record
    check_owned(request.owned, account, Facts(owners, now), bound)
    vendor = request.operation.vendor
    return {**request.data, "account": account.vendors[vendor], "owned": bound}


def _text(value: Any) -> str | None:
    return None if value is MISSING or value is None else as_text(value)
