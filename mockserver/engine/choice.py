"""Which answer a request gets: its problems, and what decides between the answers of its operation."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mockserver.engine.account import AccountData
from mockserver.engine.facts import Facts, Kept
from mockserver.engine.listing import same
from mockserver.engine.pin import Literal
from mockserver.engine.problem import KINDS, Problem
from mockserver.engine.recipient import MAGIC, MAGIC_DIGITS, is_magic
from mockserver.engine.request import Possession
from mockserver.engine.values import holds
from mockserver.spec.answer_model import Answer
from mockserver.spec.functions import as_text, digits
from mockserver.spec.model import KeptMember, OperationSpec, Owned, Rule
from mockserver.spec.pointer import MISSING, Pointer

_PREFERENCE = re.compile(  # RFC 7240, 2: a token, and perhaps a word, which may be quoted
    r"""([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?:=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?"""
)
MAX_NOTE = 300  # characters
_ORDER = {kind: number for number, kind in enumerate(KINDS)}


class Choice(msgspec.Struct, frozen=True):
    """An answer, what chose it (prefer, pin, rule, magic or default), and the problem that it answers, if any.

    A literal is a test's own response, which no contract has. ``rule`` is the place of the rule that chose. ``notes``
    say which wish of the client names no answer; nothing that it sent is in them.
    """

    answer: Answer | Literal
    chosen_by: str
    problem: Problem | None
    rule: str = ""
    notes: tuple[str, ...] = ()


def choose(  # noqa: PLR0913 -- everything that may decide, in one place
    operation: OperationSpec,
    problems: tuple[Problem, ...],
    view: Mapping[str, Any],
    recipient: str,
    *,
    prefer: str,
    pinned: Answer | Literal | None,
) -> Choice | None:
    """The answer to a request; ``view`` is what ``when`` reads, ``pinned`` what a pin has for it.

    None where the contract has no answer: an operation that only dispatches.
    """
    first = problems[0] if problems else None
    preferred, notes = _preferred(operation, prefer) if prefer else (None, ())
    if preferred is not None and not (preferred.accepted and problems):
        return Choice(preferred, "prefer", first)
    if pinned is not None:
        return Choice(pinned, "pin", first, "", notes)
    fitting = None
    for rule in operation.rules if problems else operation.conditions:  # without problems few rules apply: 2 us less
        problem = _met(rule, problems) if rule.on_problem else None
        if (rule.on_problem and problem is None) or not _fits(rule, view):
            continue
        fitting = Choice(rule.answer, "rule", problem, rule.place, notes)
        if problems or not rule.answer.accepted:
            return fitting
        break
    if is_magic(recipient) and (operation.recipient is None or not operation.recipient.is_several):
        magic = operation.magic.get(recipient[-MAGIC_DIGITS:])
        if magic is not None:
            return Choice(magic, "magic", None, "", notes)
        notes += (_note("magic", (f"+{MAGIC}{end}" for end in operation.magic)),)
    if fitting is not None:
        return msgspec.structs.replace(fitting, notes=notes)
    return Choice(operation.success, "default", None, "", notes) if operation.success else None


def _met(rule: Rule, problems: tuple[Problem, ...]) -> Problem | None:
    """The first problem that the rule is about."""
    for problem in problems:
        if rule.kinds is not None and problem.kind not in rule.kinds:
            continue
        if rule.reason is not None and rule.reason != problem.reason:
            continue
        if rule.at is None or rule.at.covers(Pointer.parse(problem.at)):
            return problem
    return None


def _fits(rule: Rule, view: Mapping[str, Any]) -> bool:
    for at, condition in rule.when:  # noqa: SIM110 -- no generator: every request asks some rules
        if not holds(at, condition, view):
            return False
    return True


def _preferred(operation: OperationSpec, prefer: str) -> tuple[Answer | None, tuple[str, ...]]:
    """The answer that ``Prefer: example=name``, ``code=429`` or both ask for, as Prism reads it; a note if none is it.

    Of a preference given twice the first counts. A status is what the answer says on the wire, else what it means.
    """
    wanted: dict[str, str] = {}
    for name, quoted, plain in _PREFERENCE.findall(prefer):
        if name.lower() in {"example", "code"}:
            wanted.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or plain)
    if not wanted:
        return None, ()
    fitting = list(operation.answers.values())
    if "example" in wanted:
        fitting = [answer for answer in fitting if wanted["example"] in {answer.name, answer.id}]
    if "code" in wanted:
        code = wanted["code"]
        by_status = [answer for answer in fitting if str(answer.status) == code]
        fitting = by_status or [answer for answer in fitting if str(answer.means) == code]
    if fitting:
        return fitting[0], ()
    return None, (_note("preference", operation.answers),)


def _note(what: str, known: Iterable[str]) -> str:
    """That a preference or a magic number names no answer, and which would."""
    note = f"{what} unknown; known: {', '.join(known) or 'none'}"
    return note if len(note) <= MAX_NOTE else f"{note[: MAX_NOTE - 3]}..."


def check_owned(
    possessions: Iterable[Possession], account: AccountData | None, facts: Facts, bound: dict[str, Any]
) -> tuple[Problem, ...]:
    """The problems ``unknown`` and ``foreign``; records of the account's own values are added to ``bound``."""
    problems = []
    for possession in possessions:
        place, value, owner = possession.place, possession.value, facts.owners.get(possession.claim)
        is_own = owner is not None and account is not None and owner.account.id == account.id
        if place.within is not None:
            if place.within.tokens[1] not in bound or _holds(bound, place, value):
                continue
        elif owner is not None and is_own:
            bound[place.binds] = owner.record
            continue
        foreign = owner is not None and (place.within is None or not is_own)
        problems.append(_problem(place, value, foreign=foreign))
    return tuple(problems)


def check_kept(
    places: Iterable[KeptMember], data: Mapping[str, Any], kept: Kept, bound: dict[str, Any]
) -> tuple[Problem, ...]:
    """A problem ``unknown`` for each value that no kept record has; the others' records are added to ``bound``."""
    problems = []
    for place in places:
        value = place.at.get(data)
        if value is MISSING:
            continue
        records = kept.get(place.list_name, {})
        record = records.get(as_text(value))
        if record is None or not same(record.get(place.member, MISSING), value):  # found by another member than the key
            record = next((r for r in records.values() if same(r.get(place.member, MISSING), value)), None)
        if record is None:
            problems.append(Problem("unknown", str(place.at), "", "no record that is kept has the value", value))
        else:
            bound[place.list_name] = record
    return tuple(problems)


def _holds(bound: dict[str, Any], place: Owned, value: Any) -> bool:
    """Whether the bound record's member is this value, or lists it; or lists a record with it, which is then bound."""
    held = place.held.get(bound) if place.held is not None else MISSING
    if place.is_inner and (held is MISSING or held is None):
        return True
    text = digits if place.digits else str
    values = held if isinstance(held, list) else [] if held is MISSING else [held]
    if not place.is_inner:
        return text(value) in {text(item) for item in values}
    name = Pointer.parse(place.claim).tokens[-1]
    for record in values:
        if isinstance(record, dict) and text(record.get(name, "")) == text(value):
            bound[place.binds] = record
            return True
    return False


def _problem(place: Owned, value: Any, *, foreign: bool) -> Problem:
    if foreign:
        return Problem("foreign", str(place.at), "", "the value belongs to another account", value)
    return Problem("unknown", str(place.at), "", "nobody owns the value", value)


def ordered(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Problems in the order in which a request meets them, at most one of a kind at a place."""
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.kind, problem.at), problem)
    return tuple(sorted(first.values(), key=lambda problem: _ORDER[problem.kind]))
