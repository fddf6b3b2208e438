"""Who a message goes to, and the recipients that ask for an answer."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from mockserver.spec.functions import MAX_DIGITS, phone_digits
from mockserver.spec.model import OperationSpec, Recipient
from mockserver.spec.pointer import MISSING

MAX_RECIPIENTS = 1_000  # of one request: it has no more
MAGIC = "15005550"  # +1 500 555 0NNN: no customer can have such a number
MAGIC_LENGTH = len("+15005550NNN")
MAGIC_DIGITS = 3  # the last ones, that ask for an answer or a course


def is_magic(recipient: str) -> bool:
    """Whether the last digits of a recipient ask for an answer or a course."""
    return recipient[1:9] == MAGIC and len(recipient) == MAGIC_LENGTH


def recipient_of(recipient: Recipient | None, view: Mapping[str, Any]) -> str:
    """The recipient as ``+`` and digits, of several the first; "" where there is none."""
    if recipient is None:
        return ""
    value = _sent(recipient, view)
    if recipient.is_several:
        return next((number for text in _texts(recipient, value) if (number := as_number(text))), "")
    return as_number(value)


def _sent(recipient: Recipient, view: Mapping[str, Any]) -> Any:
    for override in recipient.override:
        value = override.get(view)
        if value is not MISSING and value is not None:
            return value
    return recipient.at.get(view)


def as_number(value: Any) -> str:
    """A phone number as ``+`` and digits; "" where it is none."""
    if not isinstance(value, str) and (isinstance(value, bool) or not isinstance(value, int | float)):
        return ""
    number = phone_digits(value)
    return f"+{number}" if 0 < len(number) <= MAX_DIGITS else ""


def recipients_of(operation: OperationSpec, view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of ``/recipients``: ``{to, text, number, accepted, answer}`` of each, in the order of the request.

    A magic number refuses its own entry only: ``answer`` is the answer that it asks for; no other entry has one. Where
    the number stands in a mapping, that is ``entry``.
    """
    recipient = operation.recipient
    if recipient is None:
        return []
    entries = []
    for number, (text, entry) in enumerate(_found(recipient, _sent(recipient, view))):
        to = as_number(text)
        answer = operation.magic.get(to[-MAGIC_DIGITS:]) if is_magic(to) else None
        accepted = bool(to) and (answer is None or answer.accepted)
        entries.append(
            {
                "to": to,
                "text": text,
                "number": number,
                "accepted": accepted,
                **({} if answer is None else {"answer": answer.name}),
                **({} if entry is None else {"entry": entry}),
            }
        )
    return entries


def _texts(recipient: Recipient, value: Any) -> list[Any]:
    return [text for text, _ in _found(recipient, value)]


def _found(recipient: Recipient, value: Any) -> list[tuple[Any, Any]]:
    """Each number as it was sent, with the mapping that it stands in, None else."""
    if recipient.many:
        return list(islice(_inside(value, ("*", *recipient.inside), None), MAX_RECIPIENTS))
    return [(text, None) for text in _split(recipient, value)]


def _inside(value: Any, tokens: tuple[str, ...], entry: Any) -> Iterator[tuple[Any, Any]]:
    """What stands at a place below a value, of each item where a token is ``*``."""
    if not tokens:
        yield value, entry
    elif tokens[0] == "*":
        for item in value if isinstance(value, list) else ():
            yield from _inside(item, tokens[1:], None)
    elif isinstance(value, dict) and tokens[0] in value:
        yield from _inside(value[tokens[0]], tokens[1:], value)


def _split(recipient: Recipient, value: Any) -> list[Any]:
    if recipient.split is None:
        return [] if value is MISSING or value is None else [value]
    if value is MISSING:
        return []
    parts = str(value).split(recipient.split, MAX_RECIPIENTS)[:MAX_RECIPIENTS]
    return [text for part in parts if (text := part.strip())]
