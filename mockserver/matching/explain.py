"""A failed verification in words, for a terminal. A call is a mapping in the control API's shape, secrets masked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mockserver.matching.compare import Difference
from mockserver.matching.show import show
from mockserver.matching.verdict import Count, Miss
from mockserver.spec.wording import shortened

MAX_FITTING_LISTED = 10  # calls, where there are too many
MAX_DIFFERENCES_LISTED = 8  # of a call
MAX_PLACE_SHOWN = 200  # characters of a path or a pointer

CallShape = Mapping[str, Any]
Cure = Callable[[CallShape, Mapping[str, Any]], str | None]  # what helps against a problem of a call
_ACCEPTED_WORDS = {None: "", True: "accepted ", False: "refused "}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of a verification that failed or cannot be decided.

    ``what`` is the operation or vendor that was meant. ``among`` says which calls were looked at, ``unknown`` why there
    is no verdict, else it is empty. ``fitting`` are the calls that fit, newest first, ``nearest`` those that do not.
    """

    what: str
    count: Count
    accepted: bool | None
    recipient: str | None
    matched: int
    among: str
    unknown: str
    fitting: Sequence[CallShape]
    nearest: Sequence[Miss[CallShape]]

    def lines(self, cure: Cure = lambda _call, _problem: None) -> Iterator[str]:
        """The text of the failure, line by line."""
        to = f" to {self.recipient}" if self.recipient else ""
        expected = f"expected {self.count} {_ACCEPTED_WORDS[self.accepted]}call(s){to}"
        unknown = f" Cannot be known: {self.unknown}." if self.unknown else ""
        yield f"{self.what}: {expected}, found {self.matched} ({self.among}).{unknown}"
        if self.count.is_exceeded(self.matched):
            yield "Calls that fit, latest first:"
            yield from (f"  {_call_line(call)}" for call in self.fitting[:MAX_FITTING_LISTED])
        elif self.nearest:
            yield "Nearest calls:" if len(self.nearest) > 1 else "Nearest call:"
            for miss in self.nearest:
                yield from _near_lines(miss, cure)


def _near_lines(miss: Miss[CallShape], cure: Cure) -> Iterator[str]:
    call = miss.call
    yield f"  {_call_line(call)}"
    for difference in miss.differences[:MAX_DIFFERENCES_LISTED]:
        yield f"      {_difference_line(difference)}"
    if call.get("direction") == "out":
        yield from (f"      {note}" for note in call["notes"])
    for problem in call["problems"] if not call["accepted"] else ():
        at = shortened(problem["at"], MAX_PLACE_SHOWN)
        words = " ".join(word for word in (problem["kind"], problem["reason"], at) if word)
        yield f"      refused: {words}: {problem['message']}"
        help_with_it = cure(call, problem)
        if help_with_it:
            yield f"      {help_with_it}"


def _call_line(call: CallShape) -> str:
    time = call["received_at"][11:23]  # of an ISO time, to the millisecond
    request, status = call["request"], call["response"]["status"]
    if call.get("direction") == "out":
        became = str(status) if status else f"no response ({call['outcome']})"
        return f"{call['id']} {time} {call['operation']} {request['method']} {call['url']} -> {became}"
    answer = (call["answer"] or "off-contract") if call["vendor"] else "no operation has this path"
    chosen = f" (by {call['chosen_by']})" if call["chosen_by"] else ""
    path = shortened(request["path"], MAX_PLACE_SHOWN)
    return f"{call['id']} {time} {request['method']} {path} -> {status} {answer}{chosen}"


def _difference_line(difference: Difference) -> str:
    return f"{difference.pointer}: {show(difference.expected, difference.found)}"
