"""What a run asks of the calls: ``--expect`` and ``--fail-on``."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mockserver.cli.common import CommandError
from mockserver.cli.summary import EVICTED, RunRecord
from mockserver.spec.model import Contract
from mockserver.testing.call import Call

FAIL_ON = ("refused", "unclaimed", "escaped")
_EXPECTATION = re.compile(r"(?P<operation>[^=/]+)(/(?P<answer>[^=/]+))?=(?P<number>[0-9]{1,9})(?P<more>\+)?")


@dataclass(frozen=True, slots=True)
class ExpectedCount:
    """How often an operation is called: by accepted calls, or by those that got this answer."""

    text: str
    operation: str
    answer: str | None
    least: int
    most: int | None

    def failure(self, calls: Iterable[Call]) -> str | None:
        """What is wrong; None if nothing is."""
        of_operation = [call for call in calls if call.operation == self.operation]
        wanted = f"{self.operation}/{self.answer}"
        met = [call for call in of_operation if (call.accepted if self.answer is None else call.answer == wanted)]
        if self.least <= len(met) and (self.most is None or len(met) <= self.most):
            return None
        kind = f"answered {self.answer}" if self.answer is not None else "accepted"
        others = len(of_operation) - len(met)
        beside = f", {times(others)} otherwise" if others else ""
        return f"{self.operation} was {kind} {times(len(met))}{beside}, not {self._wanted}"

    @property
    def _wanted(self) -> str:
        if self.most is None:
            return f"at least {times(self.least)}"
        return f"exactly {times(self.least)}" if self.least else "never at all"


def times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def read_expectation(text: str, contracts: Iterable[Contract]) -> ExpectedCount:
    """``acme.send_sms=1``, ``=1+``, ``=0``, ``acme.send_sms/throttled=2``. Raises CommandError."""
    read = _EXPECTATION.fullmatch(text)
    if read is None:
        raise CommandError(f"--expect is VENDOR.OPERATION[/ANSWER]=N, or =N+ for at least N, not {text!r}")
    operations = {o.id: o for contract in contracts for o in contract.operations if o.name == o.spelling}
    operation, answer = read["operation"], read["answer"]
    if operation not in operations:
        raise CommandError(f"--expect: there is no operation {operation!r}; known: {', '.join(operations)}")
    if answer is not None and answer not in operations[operation].answers:
        known = ", ".join(operations[operation].answers)
        raise CommandError(f"--expect: {operation} has no answer {answer!r}; known: {known}")
    least = int(read["number"])
    return ExpectedCount(text, operation, answer, least, None if read["more"] else least)


@dataclass(frozen=True, slots=True)
class GateResult:
    """A gate as it is written, and why it failed (None: it did not)."""

    gate: str
    failure: str | None


def verdicts(expected: Iterable[ExpectedCount], fail_on: Iterable[str], findings: RunRecord) -> list[GateResult]:
    """Each gate's verdict. A part of the calls proves nothing: where some were evicted, every gate fails."""
    lost = EVICTED.format(findings.evicted) if findings.evicted else None
    found = [GateResult(f"--expect {one.text}", lost or one.failure(findings.calls)) for one in expected]
    complaints = {
        "refused": [str(call) for call in findings.refused],
        "unclaimed": [str(call) for call in findings.unclaimed],
        "escaped": findings.escaped,
    }
    return [*found, *(GateResult(f"--fail-on {name}", "; ".join(complaints[name]) or lost) for name in fail_on)]
