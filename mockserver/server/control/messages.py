"""Messages of both directions over HTTP, a subscriber's message, and the callbacks of an account."""

import asyncio
import base64
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mockserver.engine.account import EVERYBODY, AccountData
from mockserver.engine.call import call_id, call_number, split_headers
from mockserver.engine.callback import OutgoingRequest
from mockserver.engine.codes import codes_in
from mockserver.engine.message import ACCEPTED, RECEIVED, Message
from mockserver.engine.recipient import as_number
from mockserver.engine.sources import steady_time
from mockserver.server.checkpoint import TimeShare
from mockserver.server.control.accounts import account_of
from mockserver.server.control.listing import parameters, whole
from mockserver.server.control.names import Scope, known_account, known_operation, known_vendor
from mockserver.server.control.questions import check_recipient
from mockserver.server.control.requests import ApiError, State, member, quoted, read_object, state_of, unknown
from mockserver.server.control.sent import sent_by_account
from mockserver.server.serialize import moment, moment_text
from mockserver.spec.functions import MAX_DIGITS, phone_digits
from mockserver.spec.model import Contract

PARAMETERS = (
    "account", "recipient", "phone", "vendor", "operation", "direction", "state", "contains", "since", "within",
    "least", "limit",
)  # fmt: skip
INBOUND_MEMBERS = ("account", "vendor", "from", "to", "text")
MESSAGE_DIRECTIONS = ("inbound", "outbound")
STATES = ("accepted", "sent", "delivered", "failed", "received")
WORDS = ("vendor", "operation", "direction", "state")  # members of a message that are asked for as they are
MAX_WAIT = 60.0  # seconds
MESSAGES_TICK = 0.2  # seconds between two looks at the messages of all accounts
MAX_MESSAGES = 1_000
MAX_INBOUND_TEXT = 10_000  # characters of a subscriber's message

ANYBODY = Scope(None, None, None, None, (), ())  # whose messages are not narrowed by what sends them

MessageTest = Callable[[Message], bool]


async def list_messages(request: Request) -> Response:
    """``GET /_mock/messages``: messages, newest first; ``within`` waits until ``least`` of them fit.

    They are of one account, or with ``account=*`` of all.
    """
    values, state = parameters(request, PARAMETERS), state_of(request)
    asked = values.get("account", "default")
    account = None if asked == EVERYBODY else await known_account(state, asked, "/query/account", (EVERYBODY,))
    tests, limit = _tests(state, values), whole(values, "limit", 1, MAX_MESSAGES) or 100
    least = whole(values, "least", 0, MAX_MESSAGES)
    limit = max(limit, least or 0)
    until = steady_time() + _seconds(values, "within", MAX_WAIT)
    while True:
        owners = list(await state.store.accounts()) if account is None else [account]
        now = await state.as_of_now([owner.id for owner in owners])
        messages = await _fitting(now, owners, tests, limit)
        left = until - steady_time()
        if len(messages) >= (1 if least is None else least) or left <= 0 or not state.store.is_waited_on:
            break
        if account is None:
            await asyncio.sleep(min(left, MESSAGES_TICK))
        else:
            await state.store.wait_for_call(account.id, left)
    shapes = [await _shape(now, message) for message in messages]
    evicted = sum([await now.store.evicted(owner.id) for owner in owners])
    return JSONResponse({"messages": shapes, "evicted": evicted, "left": round(max(left, 0.0), 3)})


async def _fitting(state: State, owners: list[AccountData], tests: list[MessageTest], limit: int) -> list[Message]:
    """The newest messages of these accounts that pass all tests, newest first."""
    share, found = TimeShare(), list[Message]()
    for owner in owners:
        found += await _fitting_of(state, owner, tests, limit)
        await share.checkpoint()
    return sorted(found, key=lambda message: (message.call, message.index), reverse=True)[:limit]


async def _fitting_of(state: State, account: AccountData, tests: list[MessageTest], limit: int) -> list[Message]:
    """The same of one account, in no order."""
    received = [m for m in reversed(await state.store.received(account.id)) if all(test(m) for test in tests)]
    sent: list[Message] = []
    async for message in sent_by_account(state, account):
        if all(test(message) for test in tests):
            sent.append(message)
            if len(sent) == limit:
                break
    return [*sent, *received]


def _tests(state: State, values: Mapping[str, str]) -> list[MessageTest]:
    """What a message must be, from the query. Raises ApiError."""
    tests = _word_tests(state, values)
    for name, members in (("recipient", ("recipient",)), ("phone", ("sender", "recipient"))):
        if name in values:
            check_recipient(ANYBODY, values[name], f"/query/{name}")
            tests.append(_by_number(as_number(values[name]), members))
    if "contains" in values:
        tests.append(lambda message: message.text is not None and values["contains"] in message.text)
    if "since" in values:
        since = _moment(values["since"])
        tests.append(lambda message: message.at >= since)
    return tests


def _word_tests(state: State, values: Mapping[str, str]) -> list[MessageTest]:
    """Which of a few known words a message's members must be."""
    if "vendor" in values:
        known_vendor(state, values["vendor"], "/query/vendor")
    if "operation" in values:
        known_operation(state, values["operation"], "/query/operation")
    for name, known in (("direction", MESSAGE_DIRECTIONS), ("state", STATES)):
        if name in values and values[name] not in known:
            raise unknown(name, values[name], known, f"/query/{name}")
    return [_by_word(name, values[name]) for name in WORDS if name in values]


def _by_word(name: str, word: str) -> MessageTest:
    return lambda message: getattr(message, name) == word


def _by_number(number: str, members: tuple[str, ...]) -> MessageTest:
    return lambda message: number in {as_number(getattr(message, name)) for name in members}


def _moment(text: str) -> float:
    try:
        return moment(text)
    except ValueError:
        raise ApiError(400, "must be a time as ISO 8601 has it", "/query/since") from None


def _seconds(values: Mapping[str, str], name: str, most: float) -> float:
    try:
        seconds = float(values.get(name, "0"))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= most:
        raise ApiError(400, f"must be a number of seconds from 0 to {most:g}", f"/query/{name}")
    return seconds


async def _shape(state: State, message: Message) -> dict[str, Any]:
    """A message as the control API shows it; ``calls`` are the one that sent it and the callbacks that told of it."""
    codes = codes_in(message.text) if message.text is not None and message.direction == "outbound" else []
    calls = [call_id(message.call)] if message.operation else []
    return {
        "id": f"{call_id(message.call)}-{message.index}",
        "account": message.account,
        "vendor": message.vendor,
        "operation": message.operation or None,
        "direction": message.direction,
        "from": message.sender,
        "to": message.recipient,
        "text": message.text,
        "segments": message.segments,
        "encoding": message.encoding,
        "state": message.state,
        "code": codes[0].code if codes else None,
        "codes": [{"code": code.code, "at": code.at, "keyword": code.keyword} for code in codes],
        "calls": calls + [call_id(number) for number in await state.store.caused_by(message.account, message.call)],
        "at": moment_text(message.at),
    }


def _subscriber(body: Mapping[str, Any]) -> str:
    """Who writes. Raises ApiError."""
    written = _text(body, "from")
    if not 0 < len(phone_digits(written)) <= MAX_DIGITS:
        example = "write it with its country code, like +14155550123"
        raise ApiError(400, f"{quoted(written)} is no phone number: {example}", "/body/from")
    return as_number(written)


async def receive_message(request: Request) -> Response:
    """``POST /_mock/inbound``: a subscriber sends a message to a number of the account."""
    body, state = await read_object(request, INBOUND_MEMBERS), state_of(request)
    account = await known_account(state, member(body, "account", str, "default"), "/body/account")
    contract = known_vendor(state, _text(body, "vendor"), "/body/vendor")
    sender, text = _subscriber(body), _text(body, "text", empty=True)
    if not state.inbound.takes(contract.vendor):
        takers = [c.vendor for c in state.contracts if state.inbound.takes(c.vendor)]
        raise ApiError(
            409, f"{contract.vendor} takes no messages here; vendors that do: {', '.join(takers)}", "/body/vendor"
        )
    to = _number_of(state, contract, account, body)
    clock, real = await state.store.clock(account.id)
    kept = await state.store.kept(account.id, contract.vendor)
    found = state.inbound.read(contract.vendor, account, sender, to, text, kept, clock.at(real))
    if found is None:
        numbers = state.inbound.numbers(contract.vendor, account)
        raise unknown("number of the account", to, numbers, "/body/to")
    message = Message(account.id, contract.vendor, "inbound", sender, as_number(to), text, RECEIVED, 0, 0, real)
    message = await state.store.receive(message, found.effects)
    if found.reply is not None:
        reply = Message(
            account.id, contract.vendor, "outbound", as_number(to), sender, found.reply, ACCEPTED, 0, 0, real
        )
        await state.store.receive(reply, ())
    state.courier.tell_of_inbound(account.id, contract.vendor, found.context, message.call, as_number(to))
    return JSONResponse(await _shape(state, message), 201)


def _number_of(state: State, contract: Contract, account: AccountData, body: Mapping[str, Any]) -> str:
    """The number that a message goes to: as given, else the first of the account."""
    if "to" in body:
        return _text(body, "to")
    numbers = state.inbound.numbers(contract.vendor, account)
    if not numbers:
        raise ApiError(409, f"the account has no number at {contract.vendor}", "/body/to")
    return numbers[0]


def _text(body: Mapping[str, Any], name: str, *, empty: bool = False) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not (value or empty) or len(value) > MAX_INBOUND_TEXT:
        raise ApiError(400, f"must be a text of at most {MAX_INBOUND_TEXT} characters", f"/body/{name}")
    return value


async def take_callbacks(request: Request) -> Response:
    """``POST /_mock/accounts/{id}/callbacks/take``: the callbacks that went nowhere, oldest first, each once."""
    account = await account_of(request)
    taken = await state_of(request).courier.take(account.id)
    return JSONResponse({"callbacks": [_outgoing_shape(request) for request in taken]})


def _outgoing_shape(request: OutgoingRequest) -> dict[str, Any]:
    """``{operation, method, url, headers, body_base64, cause}``: a request to make oneself. Nothing is masked."""
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in split_headers(request.headers)]
    return {
        "operation": request.callback.id,
        "method": request.callback.method,
        "url": request.url,
        "headers": headers,
        "body_base64": base64.b64encode(request.body).decode("ascii"),
        "cause": call_id(request.cause) if request.cause else None,
    }


async def redeliver(request: Request) -> Response:
    """``POST /_mock/accounts/{id}/callbacks/{call}``: send a recorded callback once more."""
    account, state = await account_of(request), state_of(request)
    number = call_number(request.path_params["call"])
    call = None if number is None else await state.store.call(number)
    if call is None or call.account != account.id or call.label.direction != "out":
        raise ApiError(404, "the account has no such callback; it may have been evicted or cleared", "/path/call")
    if not state.courier.redeliver(call):
        raise ApiError(404, f"no contract that is served has the callback {call.operation} any more", "/path/call")
    return Response(status_code=202)
