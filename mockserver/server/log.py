"""The log: a line for each recorded call, as text or JSON, soon after the call is complete.

A call costs the request little: it is put on a list. Lines are made by the block, and written by a thread.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TextIO

import msgspec

from mockserver.engine.call import Label, RecordedCall
from mockserver.engine.problem import Problem
from mockserver.server.block_writer import BlockWriter
from mockserver.server.checkpoint import TimeShare
from mockserver.server.control.requests import State
from mockserver.server.masking import Masker, Quotes
from mockserver.store.journal import BLOCK_BYTES

DELAY_SECONDS = 0.1  # from the first call of a block until its lines are made
BLOCK_CALLS = 256  # calls of which lines are made at once, however soon they came
MAX_PENDING = 20_000  # calls that wait for their lines; further ones are dropped, and counted
MAX_PENDING_BYTES = 16 * 1024 * 1024  # of such calls, likewise: the journal may have forgotten them
MAX_BODY = 16 * 1024  # bytes; what a larger body holds is not read again, so the line refers to the record
MAX_TEXT = 500  # characters of a problem's sentence, or of a path
MAX_RECIPIENT = 32  # characters; a phone number has 16 at most
MAX_LABELS = 4_096  # whose words are remembered


class LineDetails(NamedTuple):
    """What is said of a call beside its figures: masked and cut, in the client's own characters."""

    problem: dict[str, str] | None = None  # kind, at, reason, message
    method: str = ""  # of a call for no operation, as the next two
    path: str = ""
    nearest: Sequence[str] = ()


NO_DETAILS = LineDetails()


class Form(Protocol):
    """How a call becomes a line. ``recipient`` is short."""

    def line(self, call: RecordedCall, recipient: str, details: LineDetails) -> str: ...

    def notice(self, dropped: int) -> str: ...

    def note(self, text: str) -> str: ...


LoggedCall = tuple[RecordedCall, Problem | None, Sequence[str]]  # a call, the answered problem, nearest operations


class CallLog:
    """Writes the calls of one server to a stream between ``open`` and ``close``, both within its event loop.

    Secrets are masked as the control API masks them.
    """

    def __init__(self, form: Form, stream: TextIO, mock: State) -> None:
        self._form = form
        self._stream = stream
        self._mock = mock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer: BlockWriter | None = None
        self._pending: list[LoggedCall] = []
        self._pending_blocks = 0  # what they take, as the journal weighs them
        self._dropped = 0
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def use(self, mock: State) -> None:
        """Mask by other contracts from the next line on."""
        self._mock = mock

    async def open(self) -> None:
        """Begin: calls that came before have no line."""
        self._loop = asyncio.get_running_loop()
        self._writer = BlockWriter(self._stream, self._form.notice)

    def add(self, call: RecordedCall, problem: Problem | None = None, nearest: Sequence[str] = ()) -> None:
        """Have a line written for a call that is complete."""
        pending, loop = self._pending, self._loop
        if loop is None:  # nobody serves: an application in a test without its lifespan
            return
        pending.append((call, problem, nearest))
        self._pending_blocks += call.weight
        if self._timer is None:
            self._timer = loop.call_later(DELAY_SECONDS, self._start)
        if len(pending) >= BLOCK_CALLS or len(call.body) > MAX_BODY:  # they are not kept in memory for longer
            self._start()

    def note(self, text: str) -> None:
        """Have a line written for what is no call, such as a connection that was refused."""
        if self._writer is not None:
            self._writer.write([self._form.note(text)])

    def refusal(self, method: str, path: str, status: int, why: str) -> None:
        """Have a line written for a request that was refused and is not recorded."""
        masker = self._mock.masker
        self.note(f"{_shown(method, masker)} {_shown(path, masker)} {status}: {why}")

    async def close(self) -> None:
        """Write what is left, and end."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and self._task.get_loop() is asyncio.get_running_loop():
            await self._task  # another loop that serves the same application ends its own
        await self._write_pending()
        writer, self._writer, self._loop = self._writer, None, None
        if writer is not None:
            writer.close()

    def _start(self) -> None:
        if self._loop is not None and (self._task is None or self._task.done()):
            self._task = self._loop.create_task(self._write_pending())
        elif len(self._pending) > MAX_PENDING or self._pending_blocks * BLOCK_BYTES > MAX_PENDING_BYTES:
            self._dropped += len(self._pending)
            self._pending.clear()
            self._pending_blocks = 0

    async def _write_pending(self) -> None:
        """Lines of all calls that wait, in their order; other requests get their turn."""
        share, line = TimeShare(), self._form.line
        while (self._pending or self._dropped) and self._writer is not None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            entries, self._pending, self._pending_blocks = self._pending, [], 0
            lines = [self._form.notice(self._dropped)] if self._dropped else []
            self._dropped = 0
            for call, problem, nearest in entries:
                label = call.label
                if label.operation and (problem is None or label.accepted):
                    lines.append(line(call, call.recipient[:MAX_RECIPIENT], NO_DETAILS))
                else:
                    lines.append(self._explained(call, problem, nearest))
                    await share.checkpoint()
            self._writer.write(lines)

    def _explained(self, call: RecordedCall, problem: Problem | None, nearest: Sequence[str]) -> str:
        details = _details(call, problem, nearest, self._mock.masker)
        return self._form.line(call, call.recipient[:MAX_RECIPIENT], details)


def log_to(stream: TextIO | None, mock: State) -> CallLog | None:
    """The log that the settings ask for; None where they ask for none, or the stream is closed."""
    form = mock.settings.log
    if form == "off" or stream is None:
        return None
    return CallLog(JsonForm() if form == "json" else TextForm(is_coloured=_takes_colour(stream)), stream, mock)


def _takes_colour(stream: TextIO) -> bool:
    """Whether a stream is a terminal that shows colours, and its user wants them (no-color.org)."""
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or sys.platform == "win32"
    return not is_plain and stream.isatty()


def _without_large_body(call: RecordedCall) -> RecordedCall:
    return call if len(call.body) <= MAX_BODY else msgspec.structs.replace(call, body=b"")


def _details(call: RecordedCall, problem: Problem | None, nearest: Sequence[str], masker: Masker) -> LineDetails:
    if problem is None:
        return LineDetails(None, _shown(call.method, masker), _shown(call.path, masker), nearest)
    quotes = masker.quotes(_without_large_body(call))
    is_read = len(call.body) <= MAX_BODY
    at, message = (problem.at, problem.message) if is_read else ("", f"the call {call.id} says more")
    words = {
        "kind": problem.kind,
        "at": _shown(at, quotes),
        "reason": problem.reason,
        "message": _shown(message, quotes),
    }
    return LineDetails(words)


def _shown(text: str, masker: Masker | Quotes) -> str:
    return masker.text(text) if len(text) <= MAX_TEXT else masker.text(text[:MAX_TEXT], is_cut=True) + "…"


def printable(text: str) -> str:
    """A text as one line that no terminal obeys: controls, line ends, what changes direction are written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class _TimeTexts:
    """Times and durations as text: many calls have the same second, and Python's own formats take twice as long."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._second = -1
        self._text = ""
        self._thousandths = [f".{number:03}" for number in range(1000)]

    def moment(self, seconds: float) -> str:
        """Unix seconds by the pattern, in UTC, with the milliseconds that the control API shows."""
        second = int(seconds)
        microseconds = round((seconds - second) * 1_000_000)
        if microseconds == 1_000_000:
            second, microseconds = second + 1, 0
        if second != self._second:
            self._second, self._text = second, datetime.fromtimestamp(second, UTC).strftime(self._pattern)
        return self._text + self._thousandths[microseconds // 1000]

    def thousandths(self, milliseconds: float) -> str:
        """A number with three digits behind the point."""
        thousandths = round(milliseconds * 1000)
        return f"{thousandths // 1000}{self._thousandths[thousandths % 1000]}"


RED, GREEN, PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[0m"


class TextForm:
    """A line for people: ``12:03:07.412 acme.send_sms/sent 202 default +14155550123 0.2ms``, the time in UTC."""

    def __init__(self, *, is_coloured: bool) -> None:
        self._is_coloured = is_coloured
        self._times = _TimeTexts("%H:%M:%S")
        self._words = lru_cache(maxsize=MAX_LABELS)(self._words_of)

    def line(self, call: RecordedCall, recipient: str, details: LineDetails) -> str:
        label = call.label
        line = (
            f"{self._times.moment(call.received_at)} {self._words(label)} {call.account or '-'} {recipient or '-'}"
            f" {call.duration_ms:.1f}ms"
        )
        if label.hint:
            line += f" {printable(label.hint)}"
        if call.outcome == "sent" and label.accepted and not label.fault:
            return line
        return line + self._trouble(call, details)

    def notice(self, dropped: int) -> str:
        return self.note(f"{dropped} lines of the log were dropped: it was not read as fast as calls came")

    def note(self, text: str) -> str:
        return f"mockserver: {printable(text)}"

    def _words_of(self, label: Label) -> str:
        """Answer and status."""
        words = f"{label.answer or (f'{label.operation}/-' if label.operation else '-')} {label.status}"
        if label.chosen_by == "real":  # nobody may take it for the mock's
            words = f"REAL {words}"
        return f"{GREEN if label.accepted else RED}{words}{PLAIN}" if self._is_coloured else words

    def _trouble(self, call: RecordedCall, details: LineDetails) -> str:
        """What was wrong with a request, or with the reply to it."""
        words = f" fault {call.fault}" if call.fault else ""
        if call.outcome != "sent":
            words += f" {call.outcome}"
        if details.problem is not None:
            kind, at, reason, message = details.problem.values()
            words += f" {' '.join(filter(None, (kind, reason, at)))}: {message}"
        elif details.path:
            known = call.chosen_by == "known"
            words += f" {call.vendor} documents it, not mocked:" if known else " no operation has"
            words += f" {details.method} {details.path}"
            words += "".join(f"; nearest: {nearest}" for nearest in details.nearest[:1])
        return printable(f"{words} ({call.rule})" if call.rule and not call.accepted else words)


class JsonForm:
    """A line for programs: one JSON object, in the names and the values of the control API's calls.

    A call for no operation also tells ``method``, ``path`` and ``nearest``.
    """

    def __init__(self) -> None:
        self._times = _TimeTexts("%Y-%m-%dT%H:%M:%S")
        self._members = lru_cache(maxsize=MAX_LABELS)(_members_of)

    def line(self, call: RecordedCall, recipient: str, details: LineDetails) -> str:
        times = self._times
        before, behind = self._members(call.label)
        problem, asked = "null", ""
        if details.problem is not None:
            problem = _json(details.problem)
        elif details.path:
            asked = f',"method":{_json(details.method)},"path":{_json(details.path)}'
            asked += f',"nearest":{_json(details.nearest)}'
        return (
            f'{{"received_at":"{times.moment(call.received_at)}+00:00","id":"{call.id}",'
            f'"account":{_text_or_null(call.account)},'
            f'{before},"recipient":{_text_or_null(recipient)},{behind},"duration_ms":{times.thousandths(call.duration_ms)},'
            f'"outcome":"{call.outcome}","problem":{problem}{asked}}}'
        )

    def notice(self, dropped: int) -> str:
        return _json({"dropped": dropped})

    def note(self, text: str) -> str:
        return _json({"note": text})


def _members_of(label: Label) -> tuple[str, str]:
    """The members that a label knows: those before the recipient, and those behind it."""
    before: dict[str, Any] = {"vendor": label.vendor or None, "operation": label.operation or None}
    before |= {"answer": label.answer or None, "status": label.status, "accepted": label.accepted}
    behind: dict[str, Any] = {"chosen_by": label.chosen_by or None, "rule": label.rule or None}
    behind |= {"evidence": label.evidence or None}
    if label.notes:
        behind["notes"] = json.loads(label.notes)
    return _json(before)[1:-1], _json(behind)[1:-1]


def _text_or_null(text: str) -> str:
    """An id, a number or a mask as JSON; it has no character to be escaped."""
    return f'"{text}"' if text else "null"


def _json(value: Any) -> str:
    """JSON that has neither a control nor a character beyond ASCII, whatever is in the value."""
    return json.dumps(value, separators=(",", ":")).replace("\x7f", "\\u007f")
