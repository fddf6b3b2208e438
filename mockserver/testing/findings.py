"""What a test run shows beside its assertions: assumed answers, refusals, coverage; and how the plugin reports it."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import pytest

from mockserver.coverage.document import CoverageError, Document, merge_documents
from mockserver.coverage.report import Score, Selection, failures, render_report, score
from mockserver.spec.evidence import UNCOUNTED, is_enough
from mockserver.testing.account import Account
from mockserver.testing.call import Call
from mockserver.testing.calls import AccountCalls, Calls, Early
from mockserver.testing.client import ControlError


class Watch:
    """Watches an account: reads its calls when a test has failed, and before the account is deleted.

    Where the server ``stays`` when the tests have ended, so does the account of a failed one: its page has a link.
    """

    def __init__(self, account: Account, journal: AccountCalls, *, stays: bool = False) -> None:
        self._account = account
        self._stays = stays
        self._journal = journal
        self._final: Calls | None = None
        self._reported = False
        self.failed = False
        self.unasserted: list[Call] = []
        self.unused: list[str] = []
        self.unawaited: list[str] = []

    @property
    def assumed(self) -> list[str]:
        """The ids of answers that the account got, of which a part that counts is assumed."""
        assumed = [call for call in self._final or () if call.evidence == "assumed" and _has_arrived(call)]
        return sorted({call.answer or call.operation or "" for call in assumed})

    def below(self, threshold: str) -> list[str]:
        """A line for each answer that the account got and of which a part that counts is less known than this."""
        lines = [line for call in self._final or () if (line := _relied(call, threshold)) is not None]
        return list(dict.fromkeys(lines))

    @property
    def calls(self) -> Calls:
        """All that the account met, once it is closed."""
        return self._final or Calls()

    def close(self) -> None:
        """Keep the account's calls, also those that were forgotten: it is deleted next, unless the test did that."""
        self._journal.is_watched = False
        self._final = Calls(self._journal.forgotten)
        try:
            self._final += self._account.recorded_calls()
            self.unused = self._account.unused_pins()
        except ControlError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            self.unused = self._journal.unused_pins
        self._final.sort(key=lambda call: call.data["received_at"])
        self.unasserted = [call for call in _overlooked(self._final) if not self._account.has_seen(call)]
        self.unawaited = self._journal.unawaited.lines
        self._journal.is_kept = self.failed and self._stays

    def section(self) -> str | None:
        """What the report of a failed test shows; None if it is reported already."""
        self.failed = True
        if self._reported:
            return None
        self._reported = True
        text = section(self._journal, self._final)
        if self._stays:
            text += f"\nsee {page_of(self._journal, self._final)}"
        return text


def page_of(journal: AccountCalls, known: Calls | None) -> str:
    """The address at which the server's page shows an account, and of its calls the last that was refused."""
    try:
        calls = journal.all() if known is None else known
    except ControlError:
        calls = Calls()
    chosen = next((call for call in reversed(calls) if not call.accepted), None)
    asked = {"account": journal.account, **({} if chosen is None else {"call": chosen.id})}
    return f"{journal.control.url}/_mock/#{urlencode(asked)}"


def _relied(call: Call, threshold: str) -> str | None:
    """What of a call is less known than the threshold, and why; None if it is known well enough."""
    if call.evidence is None or is_enough(call.evidence, threshold) or not _has_arrived(call):
        return None
    parts: dict[str, list[str]] = {}
    for name, grade in call.evidence_parts.items():
        if name != UNCOUNTED and grade is not None and not is_enough(grade, threshold):
            parts.setdefault(f"{grade} ({call.evidence_reasons.get(name, 'not said why')})", []).append(name)
    return f"{call.answer or call.operation}: " + "; ".join(
        f"{', '.join(names)}: {grade}" for grade, names in parts.items()
    )


def _has_arrived(call: Call) -> bool:
    """Whether a client saw of a call what the contract says of it; a callback without a receiver shows it to nobody."""
    return call.direction == "in" or call.response.status != 0


def _overlooked(calls: list[Call]) -> list[Call]:
    """Calls that a rule refused, or that had a path of no operation; not for a limit that the client has overcome."""
    overlooked: list[Call] = []
    overcome: set[str | None] = set()  # operations that accepted a later call
    for call in reversed(calls):
        if call.accepted:
            overcome.add(call.operation)
        elif _is_by_rule(call) and not (_is_limited(call) and call.operation in overcome):
            overlooked.append(call)
    return overlooked[::-1]


def _is_by_rule(call: Call) -> bool:
    """Whether a call was refused by a rule, not by the test; a path of no operation is a 404 by ours."""
    return call.chosen_by == "rule" or call.operation is None


def _is_limited(call: Call) -> bool:
    """Whether a rate limit is all that is wrong with a call; limits are off until a test sets one."""
    return bool(call.problems) and all(problem.kind == "limited" for problem in call.problems)


MAX_SECTION_LINES = 50  # calls
LATE_SECONDS = 0.25  # that a report waits for a call, if an assertion found too few and did not wait


def section(journal: AccountCalls, known: Calls | None) -> str:
    """The calls of an account line by line; ``known`` are all of them if it is deleted already."""
    try:
        calls = journal.all() if known is None else known
        late = list(_late_lines(journal, calls, may_wait=known is None))
        calls = journal.all() if known is None and late else calls
    except ControlError as error:
        return f"cannot be read: {error}"
    hidden = len(calls) - MAX_SECTION_LINES
    lines = [f"… {hidden} earlier calls"] if hidden > 0 else []
    lines += [line for call in calls[-MAX_SECTION_LINES:] for line in _call_lines(call)]
    lines = lines or [f"account {journal.account} received no call", *_proxy_lines(journal.control.url)]
    unawaited = journal.unawaited.lines if known is None else []  # else the end of the test has told them
    return "\n".join([*lines, *late, *unawaited])


def _proxy_lines(url: str) -> Iterator[str]:
    """That calls may have gone to a proxy, where the environment names one and does not except the server."""
    parts = urlsplit(url)
    names = [name for name in (parts.scheme, "all") if name in getproxies_environment()]
    if names and not proxy_bypass(parts.netloc):
        variable = f"{names[0].upper()}_PROXY"
        yield f"{variable} is set, and NO_PROXY does not name {parts.hostname}: the calls may have gone to the proxy"


def _call_lines(call: Call) -> Iterator[str]:
    """A call, and for a refusal the sentence of each problem."""
    yield str(call)
    if not call.accepted:
        yield from (f"    {problem.at}: {problem.message}" for problem in call.problems)


def _late_lines(journal: AccountCalls, calls: Calls, *, may_wait: bool) -> Iterator[str]:
    """For each assertion that did not wait, the calls that came after it."""
    for early in journal.early:
        late = _since(early, calls)
        if not late and may_wait and early is journal.early[-1]:
            late = _since(early, _waited_for(journal, early))
        if late:
            what = early.scope.get("operation") or early.scope.get("vendor") or "the account"
            came = "1 call" if len(late) == 1 else f"{len(late)} calls"
            yield f"{what}: {came} came after {early.name}, which was asked without `within=`: within=2 waits for it"


def _since(early: Early, calls: Calls) -> list[Call]:
    """The calls of the assertion's operation or vendor that came after it."""
    latest = next((number for number, call in enumerate(calls) if call.id == early.latest), -1)
    return [call for call in calls[latest + 1 :] if all(call.data[part] == name for part, name in early.scope.items())]


def _waited_for(journal: AccountCalls, early: Early) -> Calls:
    """All calls, after a short wait for one more of the assertion's operation or vendor."""
    number = len(journal.all(**early.scope))
    asked = {"account": journal.account, **early.scope, "count": {"at_least": number + 1}, "within": LATE_SECONDS}
    journal.control.post("calls/verify", asked, LATE_SECONDS)
    return journal.all()


MAX_LISTED = 20  # refusals or pins in the summary


class Findings:
    """Assumed answers that tests got, refusals that no test asserted on, pins that were not used up, and coverage."""

    def __init__(self) -> None:
        self._assumed: dict[str, list[str]] = {}
        self._refused: list[str] = []
        self._unused: list[str] = []
        self._lost = 0
        self.is_forked = False
        self.is_interrupted = False
        self.coverage: Document | None = None
        self.counted: Score | None = None
        self.complaints: list[str] = []

    def meet(self, test: str, assumed: list[str]) -> None:
        """Note that a test got assumed answers."""
        for answer in assumed:
            self._assumed.setdefault(answer, []).append(test)

    def overlook(self, test: str, refused: list[Call]) -> None:
        """Note that a test asserted nothing about these refusals."""
        self._refused += [f"{test}: {call}" for call in refused]

    def pin_in_vain(self, test: str, unused: list[str]) -> None:
        """Note that no call used these pins of a test."""
        self._unused += [f"{test}: {pin}" for pin in unused]

    def cover(self, document: Document) -> None:
        """Add coverage. Raises CoverageError if it is of other contracts."""
        known = {} if self.coverage is None else {"before": self.coverage}
        self.coverage = merge_documents({**known, "now": document})

    def lose(self) -> None:
        """Note that a worker ended without its findings."""
        self._lost += 1

    def dump(self) -> str:
        """The findings as text, for another process."""
        lists = {"assumed": self._assumed, "refused": self._refused, "unused": self._unused}
        return json.dumps({**lists, "coverage": self.coverage})

    def absorb(self, dumped: str) -> None:
        """Add the findings that another process dumped."""
        findings: dict[str, Any] = json.loads(dumped)
        for answer, tests in findings["assumed"].items():
            self._assumed.setdefault(answer, []).extend(tests)
        self._refused += findings["refused"]
        self._unused += findings["unused"]
        if findings["coverage"] is not None:
            self.cover(findings["coverage"])

    def assumed_line(self) -> str | None:
        """How many tests got assumed answers, and which answers; None if there are none."""
        if not self._assumed:
            return None
        tests = {test for met in self._assumed.values() for test in met}
        answers = ", ".join(f"{answer} ({len(set(met))})" for answer, met in sorted(self._assumed.items()))
        verb = "test got" if len(tests) == 1 else "tests got"
        return f"{len(tests)} {verb} answers that the contract only assumes: {answers}"

    def refused_lines(self) -> list[str]:
        """A line for each refusal by a rule that no test asserted on."""
        return _shortened(self._refused)

    def unused_lines(self) -> list[str]:
        """A line for each pin that calls did not use up."""
        return _shortened(self._unused)

    def lost_line(self) -> str | None:
        """Whose findings are missing, and why; None where none are."""
        lost = []
        if self._lost:
            lost.append(f"{self._lost} worker(s) crashed: what their tests met is not counted")
        if self.is_forked:
            lost.append("with --forked each test ends with its process: what it met is not counted")
        if self.is_interrupted:
            lost.append("the run was interrupted: what its tests met is counted in part")
        return "; ".join(lost) or None


def _shortened(lines: list[str]) -> list[str]:
    more = len(lines) - MAX_LISTED
    return lines[:MAX_LISTED] + ([f"… and {more} more"] if more > 0 else [])


def finish(option: Any, findings: Findings) -> bool:
    """Write the coverage file and check the coverage gate. Returns whether both went well."""
    document = findings.coverage or _EMPTY_DOCUMENT
    findings.complaints += _written(option, findings.coverage)
    try:
        findings.counted = score(document, Selection(vendors=tuple(option.mockserver_cov_vendor or ())))
        findings.complaints += failures(document, findings.counted, (), option.mockserver_cov_fail_under)
    except CoverageError as error:
        findings.complaints.append(f"--mockserver-cov-vendor: {error}")
    return not findings.complaints


def show(reporter: "pytest.TerminalReporter", option: Any, findings: Findings) -> None:
    """Print the findings; nothing if there are none."""
    refused, unused = findings.refused_lines(), findings.unused_lines()
    assumed, lost = findings.assumed_line(), findings.lost_line()
    covered = option.mockserver_cov or bool(findings.complaints)
    if refused:
        reporter.section("mockserver: refused by a vendor's rule, and no test asserted on it", yellow=True)
        for line in refused:
            reporter.line(line)
    if unused:
        reporter.section("mockserver: pinned, and no call used it up", yellow=True)
        for line in unused:
            reporter.line(line)
    if covered:
        _show_coverage(reporter, findings)
    if assumed:
        reporter.line(f"mockserver: {assumed}", yellow=True)
    if lost and (covered or refused or unused or assumed):
        reporter.line(f"mockserver: {lost}", red=True)
    if getattr(option, "forked", False):  # of pytest-forked
        reporter.line("mockserver: --forked runs each test in its own process: what they met is not counted", red=True)


_EMPTY_DOCUMENT: Document = {"contracts": {}, "operations": {}}


def _written(option: Any, document: Document | None) -> list[str]:
    """Write the coverage file if there is an option for it and anything to write. Returns complaints."""
    if document is None or not option.mockserver_cov_json:
        return []
    file = Path(option.mockserver_cov_json)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    except OSError as error:
        return [f"--mockserver-cov-json cannot be written: {error}"]
    return []


def _show_coverage(reporter: "pytest.TerminalReporter", findings: Findings) -> None:
    reporter.section("mockserver coverage", red=bool(findings.complaints))
    if findings.coverage is not None and findings.counted is not None:
        reporter.line(render_report("text", findings.coverage, findings.counted, findings.complaints))
        return
    if findings.coverage is None and findings.lost_line() is None:
        reporter.line("no test used mock_vendors or mock_server")
    for line in findings.complaints:
        reporter.line(f"FAILED: {line}", red=True)
