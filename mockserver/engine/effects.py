"""What an accepted answer leaves behind, as the store is told it: records to keep, to change, to forget."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from mockserver.engine.recipient import MAGIC_DIGITS, is_magic
from mockserver.engine.values import Context, Make, ValueCompiler, holds
from mockserver.spec.answer_model import Answer, Course, Effects, Keeps
from mockserver.spec.callback_model import OPTED_OUT
from mockserver.spec.model import Contract
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.values import pointers_of

_decode = msgspec.json.Decoder(float_hook=float).decode  # of a client's numbers, too: see bodies


class DueStep(msgspec.Struct, frozen=True):
    """A step of a course: some seconds after the answer, on the account's clock, these members get new values.

    ``place`` says where in the contracts the step stands, so that a store can write it down.
    """

    name: str
    after: float
    state: str | None
    sets: tuple[tuple[str, Make], ...]
    place: str = ""


class KeepRecord(msgspec.Struct, frozen=True):
    """A record to keep, under its key as text, and the steps that it goes through.

    ``index`` is its place among those that the answer keeps in this list, ``view`` what the answer could read,
    ``recipient`` who the message goes to that it is a record of.
    """

    list_name: str
    key: str
    record: dict[str, Any]
    steps: tuple[DueStep, ...] = ()
    index: int = 0
    view: Mapping[str, Any] = {}
    recipient: str = ""


class ChangeRecord(msgspec.Struct, frozen=True):
    """A member of a record, kept or born with the account, that gets another value."""

    record: dict[str, Any]
    tokens: tuple[str, ...]
    value: Any


class ForgetRecord(msgspec.Struct, frozen=True):
    """A kept record to delete."""

    list_name: str
    record: dict[str, Any]


Effect = KeepRecord | ChangeRecord | ForgetRecord
Keep = Callable[[Context, str, str | None], list[KeepRecord]]
Leave = Callable[[Context, bytes, str, str | None], tuple[Effect, ...]]


class EffectCompiler:
    """Makes of an answer's effects a function of its context, its body, the recipient and the course asked for."""

    def __init__(self, compiler: ValueCompiler) -> None:
        self._compile = compiler.compile

    def of_all(self, contracts: Iterable[Contract]) -> dict[object, Leave]:
        """By answer what it leaves behind; answers that leave nothing are not there."""
        answers = {a: None for contract in contracts for o in contract.operations for a in o.answers.values()}
        return {answer: leave for answer in answers if (leave := self.compile(answer)) is not None}

    def compile(self, answer: Answer) -> Leave | None:
        """What an answer leaves behind; None where that is nothing."""
        effects = answer.effects
        keeps = tuple(self._keeps(keeps, place) for place, keeps in _placed(answer.id, effects.keeps))
        changes = tuple((change.at, self._compile(change.value)) for change in effects.changes)
        forgets = effects.forgets
        if not (keeps or changes or forgets):
            return None

        reads_body = _may_read_body(effects)

        def leave(context: Context, body: bytes, recipient: str, course: str | None) -> tuple[Effect, ...]:
            if reads_body:
                context = context.seeing(made={"body": _decoded(body)})
            owned = context.view["owned"]
            left: list[Effect] = [*_in_turn(keeps, context, recipient, course)]
            for at, make in changes:
                record, value = owned.get(at.tokens[1]), make(context)
                if record is not None and value is not MISSING:
                    left.append(ChangeRecord(record, at.tokens[2:], value))
            if forgets is not None and forgets in owned:
                left.append(ForgetRecord(forgets, owned[forgets]))
            return tuple(left)

        return leave

    def compile_keeps(self, vendor: str, keeps: Iterable[Keeps]) -> Leave | None:
        """The same of records that a vendor's inbound messages leave, no answer; None where there are none."""
        makers = tuple(self._keeps(one, place) for place, one in _placed(vendor, keeps))
        if not makers:
            return None

        def leave(context: Context, body: bytes, recipient: str, course: str | None) -> tuple[Effect, ...]:
            context = context.seeing(made={"body": _decoded(body)})
            return tuple(_in_turn(makers, context, recipient, course))

        return leave

    def due_steps(self, contracts: Iterable[Contract]) -> dict[str, DueStep]:
        """All steps of all courses of some contracts by their place."""
        placed: list[tuple[str, Keeps]] = []
        for contract in contracts:
            for operation in contract.operations:
                for answer in operation.answers.values():
                    placed += _placed(answer.id, answer.effects.keeps)
            placed += _placed(contract.vendor, () if contract.inbound is None else contract.inbound.keeps)
        courses = ((place, course) for place, keeps in placed for course in keeps.courses)
        return {step.place: step for place, course in courses for step in self._steps(course, place)}

    def _keeps(self, keeps: Keeps, place: str) -> Keep:
        make = self._compile(keeps.record)
        courses = {course.name: (course.magic, self._steps(course, place)) for course in keeps.courses}

        def kept(context: Context, item: Context, index: int, number: str, course: str | None) -> list[KeepRecord]:
            record = make(item)
            if record.get(keeps.key) is None:  # nobody could ask for it: a pin's changes may have taken its id away
                return []
            effect = KeepRecord(
                list_name=keeps.list_name,
                key=str(record[keeps.key]),
                record=record,
                steps=_course(courses, number, course) if courses else (),
                index=index,
                view=context.view,
                recipient=number,
            )
            return [effect]

        def keep(context: Context, recipient: str, course: str | None) -> list[KeepRecord]:
            for at, condition in keeps.when:  # no generator: nearly every send keeps something
                if not holds(at, condition, context.view):
                    return []
            if keeps.each is None and "recipients" not in context.view:
                return kept(context, context, 0, recipient, course)
            contexts = [context] if keeps.each is None else _accepted_items(keeps.each, context)
            numbers = _accepted(context, recipient, len(contexts))
            items = enumerate(zip(contexts, numbers, strict=True))
            return [one for index, (item, number) in items for one in kept(context, item, index, number, course)]

        return keep

    def _steps(self, course: Course, place: str) -> tuple[DueStep, ...]:
        return tuple(
            DueStep(
                name=step.name,
                after=step.after,
                state=step.state,
                sets=tuple((name, self._compile(value)) for name, value in step.sets),
                place=f"{place}/{course.name}/{number}/{step.name}",
            )
            for number, step in enumerate(course.steps)
        )


def _may_read_body(effects: Effects) -> bool:
    """Whether what an answer leaves behind depends on the body that was made, or what a course does later may."""
    values = [*(keeps.record for keeps in effects.keeps), *(change.value for change in effects.changes)]
    places = [at for value in values for at in pointers_of(value)]
    places += [at for keeps in effects.keeps for at, _ in keeps.when]
    places += [keeps.each for keeps in effects.keeps if keeps.each is not None]
    return any(keeps.courses for keeps in effects.keeps) or any(at.tokens[0] == "made" for at in places)


def _placed(owner: str, keeps: Iterable[Keeps]) -> list[tuple[str, Keeps]]:
    """What an answer, or a vendor's inbound message, leaves to keep; each with its place in the contracts."""
    return [(f"{owner}#{number}", one) for number, one in enumerate(keeps)]


def _in_turn(keeps: Iterable[Keep], context: Context, recipient: str, course: str | None) -> list[KeepRecord]:
    """The records that are kept; each is bound for those that come after it."""
    left: list[KeepRecord] = []
    for keep in keeps:
        if left:
            context = context.seeing(owned={**context.view["owned"], left[-1].list_name: left[-1].record})
        left += keep(context, recipient, course)
    return left


def is_opt_out(effect: Effect) -> bool:
    """Whether it is a subscriber's wish for no more messages."""
    return isinstance(effect, KeepRecord) and effect.list_name == OPTED_OUT


def _decoded(body: bytes) -> Any:
    """The body of an answer, for what it leaves behind; an empty mapping where it is no JSON."""
    if not body:
        return {}
    try:
        return _decode(body)
    except msgspec.DecodeError:
        return {}


def _accepted(context: Context, recipient: str, entries: int) -> list[str]:
    """The recipient of each record: of several, those whose entry was accepted."""
    several = [entry["to"] for entry in context.view.get("recipients", ()) if entry["accepted"]]
    return several if len(several) == entries else [recipient] * entries


def _accepted_items(at: Pointer, context: Context) -> list[Context]:
    """A context for each entry of a list; where it has one for each recipient, those refused leave nothing."""
    entries, recipients = at.get(context.view), context.view.get("recipients", ())
    if not isinstance(entries, list):
        return []
    is_of_all = len(entries) == len(recipients)
    of_accepted = (e for e, to in zip(entries, recipients, strict=True) if to["accepted"]) if is_of_all else entries
    return [context.seeing(item=entry) for entry in of_accepted]


def _course(
    courses: Mapping[str, tuple[str | None, tuple[DueStep, ...]]], recipient: str, asked: str | None
) -> tuple[DueStep, ...]:
    """The steps of the course that is asked for by name or by the recipient's digits, else of the ordinary one."""
    if asked is not None and asked in courses:
        return courses[asked][1]
    magic = recipient[-MAGIC_DIGITS:]
    by_magic = (steps for digits, steps in courses.values() if digits is not None and digits == magic)
    ordinary = next(iter(courses.values()))[1]
    return next(by_magic, ordinary) if is_magic(recipient) else ordinary
