"""What the report of a failed test shows of its account: its calls, and what the test may have missed."""

from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from mockserver.testing.call import Call
from mockserver.testing.calls import AccountCalls, Calls, Early
from mockserver.testing.client import ControlError

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
