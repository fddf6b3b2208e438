"""What an answer is, and what an accepted one leaves behind."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mockserver.spec.evidence import Evidence, Graded
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.value_model import Validator, Value

BODILESS_STATUSES = frozenset({204, 304})  # behind whose head an answer ends
EMPTY_STATUSES = BODILESS_STATUSES | {205}  # HTTP allows no body with these; that of a 205 has the length 0


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a kept record some seconds after the answer; ``state`` is that of its message from then on."""

    name: str
    after: float
    state: str | None
    sets: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Course:
    """The steps that a kept record goes through; ``magic`` are the last digits of recipients that ask for it."""

    name: str
    magic: str | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Keeps:
    """The record that an accepted answer leaves, or one for each entry of the list at ``each``.

    ``key`` is the member by which it is found. The first course is the ordinary one. Where ``when`` does not hold,
    nothing is kept.
    """

    list_name: str
    key: str
    when: tuple[tuple[Pointer, Validator | None], ...]
    each: Pointer | None
    record: Value
    courses: tuple[Course, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A member of a bound record that gets another value."""

    at: Pointer
    value: Value


@dataclass(frozen=True, slots=True)
class Effects:
    """What an accepted answer leaves behind, in this order."""

    keeps: tuple[Keeps, ...] = ()
    changes: tuple[Change, ...] = ()
    forgets: str | None = None


NO_EFFECTS = Effects()


@dataclass(frozen=True, eq=False)
class Answer:
    """A documented response.

    ``body`` is the sample's literal JSON, cut where a value is filled in: it has one segment more than ``fills``.
    Each fill comes with the literal JSON that the sample has in its place, and with what is known of other values;
    ``places`` says where each stands in the body, ``written`` is the order in which the contract has them. ``means`` is
    the status that the answer stands for where the HTTP status says less. Where ``is_form`` the body is no JSON but the
    fields of a form.
    """

    name: str
    id: str
    status: int
    means: int
    magic: str | None
    evidence: Evidence
    headers: tuple[tuple[bytes, bytes, Value | None], ...]
    body: tuple[bytes, ...]
    fills: tuple[tuple[Value, bytes, Graded | None], ...]
    schema: Validator | None
    sample: Any
    places: tuple[Pointer, ...] = ()
    written: tuple[int, ...] = ()
    effects: Effects = NO_EFFECTS
    is_form: bool = False

    def has_member(self, at: Pointer) -> bool:
        """Whether the documented body has a value at this place."""
        return at.get(self.sample) is not MISSING

    @cached_property
    def accepted(self) -> bool:
        """Whether the answer means that the vendor accepts the request."""
        return self.means < 400
