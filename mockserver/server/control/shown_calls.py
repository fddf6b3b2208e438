"""Recorded calls as the control API shows them: whole, or in short, as a line of a list."""

from collections.abc import Sequence
from typing import Any

from mockserver.engine.call import RecordedCall, unpack_problems
from mockserver.engine.coding import without_codings
from mockserver.server.checkpoint import TimeShare
from mockserver.server.control.requests import State
from mockserver.server.control.sent import message_of
from mockserver.server.packed_bodies import unpacked
from mockserver.server.serialize import call_shape, content_type_of, moment_text
from mockserver.spec.wording import shortened

MAX_SUMMARY_TEXT = 300  # characters of a message's text, a path or a problem


async def shown(state: State, calls: Sequence[RecordedCall]) -> list[dict[str, Any]]:
    """Calls in their public shape, secrets masked; others get their turn meanwhile."""
    share = TimeShare()
    shapes = []
    for call in calls:
        owner = await state.store.account(call.account)
        message = None if owner is None else await message_of(state, call, owner)
        await share.checkpoint()
        shapes.append(await call_shape(call, state.masker, share, message))
    return shapes


async def summaries(state: State, calls: Sequence[RecordedCall]) -> list[dict[str, Any]]:
    """Calls in short, secrets masked; others get their turn meanwhile."""
    share, shapes = TimeShare(), []
    for call in calls:
        shapes.append(await summary(state, call))
        await share.checkpoint()
    return shapes


async def summary(state: State, call: RecordedCall) -> dict[str, Any]:
    """One call in short. Its names are those of the whole call; ``text`` is its message's, ``problem`` its first."""
    mask, plain = state.masker, without_codings(call)
    owner = await state.store.account(call.account)
    message = None if owner is None else await message_of(state, plain, owner)
    text = message.text if message is not None else None
    problems = unpack_problems(call.problems)
    quotes = mask.quotes(plain) if problems else mask
    return {
        "id": call.id,
        "account": call.account or None,
        "vendor": call.vendor or None,
        "operation": call.operation or None,
        "direction": call.label.direction,
        "answer": call.answer or None,
        "accepted": bool(call.accepted),
        "status": call.status,
        "chosen_by": call.chosen_by or None,
        "evidence": call.evidence or None,
        "method": call.method,
        "path": mask.text(shortened(call.path, MAX_SUMMARY_TEXT)),
        "recipient": mask.text(shortened(call.recipient, MAX_SUMMARY_TEXT)) or None,
        "text": None if text is None else mask.text(shortened(text, MAX_SUMMARY_TEXT)),
        "body": None if text is not None else _body(call, state),
        "problem": quotes.text(shortened(_sentence(problems[0]), MAX_SUMMARY_TEXT)) if problems else None,
        "fault": call.fault or None,
        "outcome": call.outcome,
        "received_at": moment_text(call.received_at),
        "duration_ms": round(call.duration_ms, 3),
    }


def _body(call: RecordedCall, state: State) -> str | None:
    """How a body begins, for a call of whose message nobody knows the text."""
    content = unpacked(call).content
    if not content:
        return None
    start, content_type = content[:MAX_SUMMARY_TEXT], content_type_of(call.headers)
    is_cut = len(start) < len(content)
    return state.masker.body(start.decode("utf-8", "replace"), call.reads, content_type, is_cut=is_cut)


def _sentence(problem: dict[str, Any]) -> str:
    words = " ".join(filter(None, (problem["kind"], problem["reason"], problem["at"])))
    return f"{words}: {problem['message']}"
