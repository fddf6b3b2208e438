"""What came to a server during a run, and how that is told at its end."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self
from urllib.parse import urlsplit

from mockserver.coverage.document import Document
from mockserver.coverage.report import Selection, score
from mockserver.server.wire.limits import CANNOT_BE_REACHED
from mockserver.spec.wording import counted
from mockserver.testing.call import Call

MAX_LISTED = 20  # refusals, hosts or pins
EVICTED = "{} earlier calls were evicted, and are not counted: MOCKSERVER_MAX_JOURNAL_CALLS keeps more"
NO_VENDORS_HOST = HTTPStatus.BAD_GATEWAY  # of what is asked of the proxy and is no vendor's
INSTEAD = {"CONNECT", "TLS"}  # methods of what came instead of a call


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Calls to vendors; hosts that are no vendor's and were asked for; what ended before a call.

    ``unreached`` has a sentence for each call to a host that is let through and gave no answer; ``evicted`` is how many
    more calls there were, of which nothing is known any more.
    """

    everything: Sequence[Call]
    calls: Sequence[Call]
    escaped: Sequence[str]
    untrusting: Sequence[str]
    unreached: Sequence[str]
    evicted: int = 0

    @classmethod
    def of(cls, everything: Sequence[Call], unproxied: Sequence[str] = (), evicted: int = 0) -> Self:
        """``everything`` is what was recorded, oldest first; ``unproxied`` are hosts that no proxy was asked for."""
        elsewhere = [call for call in everything if call.operation is None and call.response.status == NO_VENDORS_HOST]
        others = [call for call in everything if call.operation is None and call.request.method in INSTEAD]
        untrusting = [call for call in others if call not in elsewhere]
        unreached = [call for call in elsewhere if CANNOT_BE_REACHED in call.data["notes"]]
        refused = [call for call in elsewhere if call not in unreached]
        return cls(
            everything,
            [call for call in everything if call not in others and call not in elsewhere],
            [*(urlsplit(call.request.path).netloc or call.request.path for call in refused), *unproxied],
            [f"{_client(call)}: {note}" for call in untrusting for note in call.data["notes"]],
            [_detail(call) for call in unreached],
            evicted,
        )

    @property
    def refused(self) -> list[Call]:
        """Calls that were not accepted, though nobody had arranged that."""
        return [call for call in self.calls if call.direction == "in" and not call.accepted and _is_own_doing(call)]

    @property
    def not_taken(self) -> list[Call]:
        """Callbacks that their receiver did not take, though nobody had arranged that."""
        return [call for call in self.calls if call.direction == "out" and not call.accepted and _is_own_doing(call)]

    @property
    def unclaimed(self) -> list[Call]:
        """Calls of which nobody knows whose they are."""
        return [call for call in self.calls if call.data["account"] is None]


def summary(findings: RunRecord, unused: Sequence[str], coverage: Callable[[], Document]) -> Iterator[str]:
    """The lines; ``unused`` has one for each pin that no call used, and ``coverage`` is asked where there is some."""
    calls = findings.calls
    called = f"{counted(len(calls), 'call')}: {_answer_counts(calls)}"
    yield f"mockserver: {called}" if calls else "mockserver: no call reached a vendor"
    if findings.evicted:
        yield f"  {EVICTED.format(findings.evicted)}"
    yield from _listed(_refusal_lines("refused", findings.refused))
    yield from _listed(_refusal_lines("callback not taken", findings.not_taken))
    hosts = Counter(findings.escaped).items()
    yield from _listed(
        f"no vendor's host was asked for: {host}{f' ({times} times)' * (times > 1)}" for host, times in hosts
    )
    yield from _listed(dict.fromkeys([*findings.unreached, *findings.untrusting]))
    yield from _listed(unused)
    evidence = Counter(call.evidence for call in calls if call.evidence).most_common()
    if evidence:
        vendors = tuple(sorted({call.vendor for call in calls if call.vendor}))
        names = ", ".join(f"{name} {times}" for name, times in evidence)
        yield f"  evidence: {names}; coverage of {', '.join(vendors)}: {score(coverage(), Selection(vendors))}"


def _is_own_doing(call: Call) -> bool:
    """Whether an answer comes of the call alone; a fault that takes the place of the answer leaves no choice of one."""
    return call.chosen_by == "rule" or (call.chosen_by is None and call.response.fault is None)


def _client(call: Call) -> str:
    """Where a client wanted to go, and what it calls itself, where it did so before the handshake."""
    agents = [value for name, value in call.data["request"]["headers"] if name.lower() == "user-agent"]
    return ", user agent ".join([call.request.path, *agents])


def _answer_counts(calls: Iterable[Call]) -> str:
    """How often which answer was given, in the order of the calls."""
    names = Counter(call.answer or call.operation or f"unknown path {call.request.path}" for call in calls)
    return ", ".join(f"{name} {number}" for name, number in names.items())


def _refusal_lines(word: str, refused: Iterable[Call]) -> Iterator[str]:
    """A line for each kind of refusal, in the order in which they came first."""
    for (name, reasons), number in Counter(map(_refusal, refused)).items():
        yield f"{word}{f' {number} times' * (number > 1)}: {name}{': ' * bool(reasons)}{reasons}"


def _refusal(call: Call) -> tuple[str, str]:
    """What was answered, and why."""
    reasons = [f"{problem.at}: {problem.message}" for problem in call.problems] or call.data["notes"]
    if not reasons and call.operation is None:
        reasons = [_detail(call)]
    name = call.answer or f"{call.request.method} {call.request.path}"
    return f"{name} {call.response.status}", "; ".join(reasons)


def _detail(call: Call) -> str:
    """What we say in our own words."""
    problem = call.response.json
    return str(problem.get("detail", "")) if isinstance(problem, dict) else ""


def _listed(lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    yield from (f"  {line}" for line in lines[:MAX_LISTED])
    if len(lines) > MAX_LISTED:
        yield f"  … and {len(lines) - MAX_LISTED} more"
