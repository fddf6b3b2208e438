"""What real calls say of the contracts, as a table: departures, and what was assumed and is shown now."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from mockserver.server.drift.recording import RealCall
from mockserver.spec.wording import counted

HEADINGS = ("answer", "part", "where", "the contract", "the real vendor", "known from", "calls")


def report(calls: Sequence[RealCall]) -> Iterator[str]:
    """The lines, in Markdown."""
    departures = Counter(
        (call.answer or call.operation, d.part, d.at, d.contract, d.real, d.grade)
        for call in calls
        for d in call.departures
    )
    origins = ", ".join(dict.fromkeys(call.origin for call in calls))
    yield f"{counted(len(calls), 'call')} to {origins}: {counted(len(departures), 'departure')} from the contract"
    if departures:
        yield ""
        yield from _table(HEADINGS, ((*row, str(number)) for row, number in departures.items()))
    confirmed = Counter((str(call.answer), ", ".join(call.confirmed)) for call in calls if call.confirmed)
    if confirmed:
        yield ""
        yield "Assumed until now, and as the contract has it: this can be recorded."
        yield ""
        yield from _table(("answer", "parts", "calls"), ((*row, str(number)) for row, number in confirmed.items()))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{' --- |' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    """A text that stays in its cell, and in its line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text).replace(
        "|", "\\|"
    )
