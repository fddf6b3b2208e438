"""Messages as people see them: those of an account, and those of one subscriber's phone."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mockserver.testing.arguments import moment, seconds, typed, whole
from mockserver.testing.caller import refuse_to_block
from mockserver.testing.calls import AccountCalls
from mockserver.testing.client import segment
from mockserver.testing.names import Public

Direction = Literal["inbound", "outbound"]
MessageState = Literal["accepted", "sent", "delivered", "failed", "received"]
MAX_MESSAGES = 1_000  # asked for at once
MAX_MESSAGES_SHOWN = 5  # in a failure
MAX_TEXT_SHOWN = 60  # characters


@dataclass(frozen=True, repr=False)
class SmsMessage(Public):
    """One SMS. ``data`` is the whole message as the control API shows it; None stands for what nobody can know."""

    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def vendor(self) -> str:
        return str(self.data["vendor"])

    @property
    def direction(self) -> Direction:
        """``outbound``: from the application to a subscriber; ``inbound``: the other way."""
        direction: Direction = self.data["direction"]
        return direction

    @property
    def sender(self) -> str | None:
        return self._text("from")

    @property
    def recipient(self) -> str | None:
        return self._text("to")

    @property
    def text(self) -> str | None:
        return self._text("text")

    @property
    def segments(self) -> int | None:
        """How many SMS the text takes."""
        segments: int | None = self.data["segments"]
        return segments

    @property
    def encoding(self) -> str | None:
        """``GSM-7`` or ``UCS-2``."""
        return self._text("encoding")

    @property
    def state(self) -> MessageState:
        state: MessageState = self.data["state"]
        return state

    @property
    def code(self) -> str | None:
        """The likeliest one-time code in the text; what the pattern found, where it was waited for by one."""
        return self._text("code")

    @property
    def codes(self) -> tuple[str, ...]:
        """All that may be a one-time code, the likeliest first."""
        return tuple(found["code"] for found in self.data["codes"])

    @property
    def calls(self) -> tuple[str, ...]:
        """The ids of the call that sent it and of the callbacks that told of it, oldest first."""
        return tuple(self.data["calls"])

    @property
    def at(self) -> datetime:
        """When it was sent."""
        return datetime.fromisoformat(self.data["at"])

    def _text(self, name: str) -> str | None:
        value: str | None = self.data[name]
        return value

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        """One line: vendor, sender, recipient, state, text."""
        text = "(nobody knows its text)" if self.text is None else repr(self.text[:MAX_TEXT_SHOWN])
        return f"{self.vendor} {self.sender or '?'} -> {self.recipient or '?'} {self.state}: {text}"

    def __repr__(self) -> str:
        return f"<SmsMessage {self.id} {self}>"


class Messages(Public, list[SmsMessage]):
    """Messages, oldest first. As with any list, ``messages[-1]`` of none raises IndexError, and so do these two."""

    @property
    def first(self) -> SmsMessage:
        """The oldest. Raises IndexError if there is none."""
        return self[0]

    @property
    def last(self) -> SmsMessage:
        """The latest. Raises IndexError if there is none."""
        return self[-1]


def read_messages(
    journal: AccountCalls, filters: Mapping[str, str | None], *, within: float = 0, least: int = 1
) -> Messages:
    """The latest messages that fit, oldest first; waits up to ``within`` seconds for ``least`` of them."""
    return _waited_for(journal, filters, within, least)[0]


def _waited_for(
    journal: AccountCalls, filters: Mapping[str, str | None], within: float, least: int
) -> tuple[Messages, float]:
    """The messages as above, and how many seconds are left. The server waits, whose clock no test can stop."""
    asked = {**filters, "account": journal.account, "least": str(least), "limit": str(MAX_MESSAGES)}
    answer = journal.control.wait("messages", {**asked, "within": f"{within:.3f}"}, within)
    return Messages(SmsMessage(message) for message in reversed(answer["messages"])), answer["left"]


def find_messages(  # noqa: PLR0913 -- the control API's own parts
    journal: AccountCalls,
    *,
    recipient: str | None,
    vendor: str | None,
    direction: Direction | None,
    state: MessageState | None,
    contains: str | None,
    since: str | datetime | None,
    within: float,
) -> Messages:
    """The messages of an account that fit, oldest first."""
    if seconds("within", within):
        refuse_to_block("messages with within", "messages(...)")
    earliest = None if since is None else moment("since", since)
    filters: dict[str, str | None] = {"recipient": recipient, "vendor": vendor, "direction": direction}
    filters |= {"state": state, "contains": contains}
    return read_messages(journal, {**filters, "since": earliest}, within=within)


class Inbox(Public):
    """The phone of a subscriber: what it gets of all vendors, and what its owner replies."""

    def __init__(self, journal: AccountCalls, number: str) -> None:
        if not isinstance(number, str):
            raise TypeError(f"a phone number is text, as '+14155550123', not {typed(number)}")
        self._journal = journal
        self.number = number

    @property
    def messages(self) -> Messages:
        """The messages to and from this phone, oldest first."""
        return read_messages(self._journal, {"phone": self.number})

    @property
    def code(self) -> str:
        """The likeliest one-time code in the latest message to this phone that has one. Raises AssertionError."""
        received = self._received()
        for message in reversed(received):
            if message.code is not None:
                return message.code
        raise AssertionError("\n".join([f"no message to {self.number} has a code", *_shown(received)]))

    def wait_for(
        self, contains: str | None = None, *, pattern: str | re.Pattern[str] | None = None, within: float = 0
    ) -> SmsMessage:
        """The latest message to this phone that contains a text and fits a regular expression.

        Waits up to ``within`` seconds for the first such message. With ``pattern`` the message's ``code`` is what the
        pattern found: its first group, or all of it. Raises AssertionError, which shows what came instead.
        """
        if seconds("within", within):
            refuse_to_block("wait_for with within", f"inbox({self.number!r}).wait_for(...)")
        expression = None if pattern is None else re.compile(pattern)
        asked, left, least = {**self._outbound, "contains": contains}, within, 1
        while True:
            messages, left = _waited_for(self._journal, asked, left, least)
            found = next((hit for one in reversed(messages) if (hit := _fitting(one, expression)) is not None), None)
            if found is not None:
                self._journal.seen.update(found.calls)
                return found
            if len(messages) < least or left <= 0:
                raise AssertionError("\n".join(self._missing(contains, expression, within)))
            least = len(messages) + 1

    def reply(self, text: str, *, vendor: str | None = None, to: str | None = None) -> SmsMessage:
        """Send a message from this phone: in reply to the latest one, else to a vendor, and to a number of the account.

        Without ``to`` it goes to the sender of the vendor's latest message, or to the account's first number there.
        Raises LookupError where nobody has sent anything and no vendor is named, and ControlError.
        """
        last = next(reversed(self._received(vendor)), None)
        if last is None and vendor is None:
            raise LookupError(f"nobody has sent a message to {self.number}, so say whom it goes to: vendor=, to=")
        chosen = last.vendor if last is not None else vendor
        number = to if to is not None or last is None else last.sender
        message = {"vendor": chosen, "from": self.number, "text": text} | ({} if number is None else {"to": number})
        return SmsMessage(self._journal.control.post("inbound", {"account": self._journal.account, **message}))

    @property
    def _outbound(self) -> dict[str, str | None]:
        return {"recipient": self.number, "direction": "outbound"}

    def _received(self, vendor: str | None = None) -> Messages:
        return read_messages(self._journal, {**self._outbound, "vendor": vendor})

    def _missing(self, contains: str | None, expression: re.Pattern[str] | None, within: float) -> Iterable[str]:
        parts = [f"containing {contains!r}"] if contains is not None else []
        parts += [f"fitting {expression.pattern!r}"] if expression is not None else []
        waited = f" within {within:g} s" if within else "; a message that is on its way needs within=2, say"
        yield f"no message to {self.number}{' ' if parts else ''}{' and '.join(parts)} came{waited}"
        yield from _shown(self._received() or read_messages(self._journal, {"direction": "outbound"}))

    def __repr__(self) -> str:
        return f"<Inbox {self.number} of account {self._journal.account}>"


def _fitting(message: SmsMessage, expression: re.Pattern[str] | None) -> SmsMessage | None:
    """The message, if a regular expression finds something in it: its code is that then."""
    if expression is None:
        return message
    found = expression.search(message.text or "")
    if found is None:
        return None
    return SmsMessage({**message.data, "code": found.group(1) if expression.groups else found.group()})


def _shown(messages: Messages) -> list[str]:
    """The latest messages, for a failure."""
    if not messages:
        return ["No message has been sent."]
    more = len(messages) - MAX_MESSAGES_SHOWN
    lines = [f"  {message}" for message in reversed(messages[-MAX_MESSAGES_SHOWN:])]
    return ["Messages that were sent, latest first:", *lines, *([f"  and {more} more"] if more > 0 else [])]


def assert_delivered(
    journal: AccountCalls, scope: Mapping[str, str], recipient: str | None, times: int, within: float
) -> Messages:
    """The messages in scope that were delivered. Raises AssertionError if they are not so many, and TypeError."""
    __tracebackhide__ = True
    what = scope.get("operation") or scope.get("vendor")
    _check_course(journal, what)
    whole("times", times)
    if seconds("within", within):
        refuse_to_block("assert_delivered with within", f"{'<vendor>.' if what else ''}assert_delivered(...)")
    outbound: dict[str, str | None] = {name: scope[name] for name in ("operation", "vendor") if name in scope}
    outbound |= {"recipient": recipient, "direction": "outbound"}
    delivered = read_messages(journal, {**outbound, "state": "delivered"}, within=within, least=times)
    if len(delivered) != times:
        to = "" if recipient is None else f" to {recipient}"
        found = f"expected exactly {times} delivered message(s){to}, found {len(delivered)}"
        lines = [f"{what or 'any vendor'}: {found}", *_shown(read_messages(journal, outbound)), *_waiting(journal)]
        raise AssertionError("\n".join(lines))
    journal.seen.update(call for message in delivered for call in message.calls)
    return delivered


def _check_course(journal: AccountCalls, what: str | None) -> None:
    """Raise TypeError where no message can ever be delivered."""
    if not any(what is None or what == name or name.startswith(f"{what}.") for name in journal.with_courses):
        raise TypeError(
            f"messages of {what or 'these vendors'} have no course, so none is ever delivered; ask assert_accepted(...)"
        )


def _waiting(journal: AccountCalls) -> list[str]:
    """Why messages and callbacks of an account have not come further."""
    shape = journal.control.get(f"accounts/{segment(journal.account)}")
    lines = [f"{callback['operation']}: {callback['note']}" for callback in shape["callbacks"]]
    if shape["clock"]["frozen"]:
        lines.append("The account's clock is frozen, so nothing goes on by itself: advance(seconds) moves it.")
    return lines
