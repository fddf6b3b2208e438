"""The messages that recorded calls sent, in the states that they have come to."""

from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec

from mockserver.engine.account import AccountData
from mockserver.engine.call import RecordedCall
from mockserver.engine.message import Message
from mockserver.server.control.requests import State
from mockserver.store.journal import Query

CALLS_READ_AT_ONCE = 200


async def sent_by_account(state: State, account: AccountData) -> AsyncIterator[Message]:
    """The messages that an account's calls sent, newest first."""
    query = Query(account=account.id, accepted=True, direction="in", limit=CALLS_READ_AT_ONCE)
    while True:
        page = await state.store.calls(query)
        for call in page.calls:
            for message in reversed(await sent_by_call(state, call, account)):
                yield message
        if page.next is None:
            return
        query = replace(query, before=page.next)


async def sent_by_call(state: State, call: RecordedCall, account: AccountData) -> list[Message]:
    """The messages that a call sent, in the order of its recipients; none where it was refused or sends none."""
    if not call.vendor or not call.accepted:
        return []
    messages = []
    for message in state.messages.read(call, account, await state.store.owners(call.vendor), call.received_at):
        reached = await state.store.message_state(account.id, message.call, message.index)
        messages.append(message if reached is None else msgspec.structs.replace(message, state=reached))
    return messages


async def message_of(state: State, call: RecordedCall, account: AccountData) -> Message | None:
    """The message that a call sent, of several the first; of a callback the message that it tells of.

    None where there is none, or where it was evicted.
    """
    if call.label.direction == "in":
        return next(iter(await sent_by_call(state, call, account)), None)
    cause = await state.store.call(call.cause) if call.cause else None
    if cause is not None:
        told = await sent_by_call(state, cause, account)
    else:
        told = [message for message in await state.store.received(account.id) if message.call == call.cause]
    return next((message for message in told if message.recipient == call.recipient), None)
