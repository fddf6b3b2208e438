"""What values of a contract are: of the request, of the account, of what is kept, or new."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from mockserver.spec.pointer import Pointer


class Validator(Protocol):
    """A compiled JSON Schema."""

    def is_valid(self, instance: Any) -> bool: ...

    def validate(self, instance: Any, /) -> None: ...

    def iter_errors(self, instance: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Echo:
    """Repeats a value of the request, or ``otherwise`` where the request has none there."""

    pointer: Pointer
    otherwise: "Value | None"


@dataclass(frozen=True, slots=True)
class New:
    """A new value.

    ``plus`` is in seconds and moves a timestamp; ``form`` is how a timestamp is written. ``length`` is that of ``hex``
    and ``token``, without the ``prefix``.
    """

    kind: Literal["uuid", "sequence", "timestamp", "hex", "ulid", "token"]
    plus: int
    form: str = "iso_ms"
    length: int = 32
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Apply:
    """A pure function of values."""

    function: Callable[..., Any]
    arguments: "tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal."""

    value: Any


@dataclass(frozen=True, slots=True)
class Composed:
    """A mapping or a list whose members are values."""

    members: "Mapping[str, Value] | tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class Join:
    """Text put together of values."""

    parts: "tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token that a security scheme accepts, for the record that the request's credential bound."""

    scheme: str


@dataclass(frozen=True, slots=True)
class CountOf:
    """Of the list at a place of this answer: all its entries, those shown, its pages, or whether more follow."""

    at: Pointer
    of: Literal["all", "shown", "pages", "more"] = "all"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a member of an entry must be for the entry to be listed; a value that is absent asks nothing."""

    member: Pointer
    relation: Literal["is", "in", "from", "to", "like"]
    value: "Value"


@dataclass(frozen=True, slots=True)
class Paging:
    """Which entries of a list are shown. Of the pointers the first that has a value counts; ``most`` bounds a page.

    The request says with ``skip`` how many entries to leave out, or with ``number`` which page it wants, from 1.
    """

    skip: tuple[Pointer, ...]
    take: tuple[Pointer, ...]
    default: int
    most: int
    number: tuple[Pointer, ...] = ()


@dataclass(frozen=True, slots=True)
class Each:
    """An entry for each record of a list that meets the conditions.

    Where the value at ``any_of`` is ``OR``, one condition is enough. ``order`` are members, each with whether the
    greatest comes first. ``item`` is what is shown of a record; None shows all of it. ``refused`` is what is shown
    of a recipient that is not accepted, where that differs.
    """

    of: Pointer
    where: tuple[Condition, ...]
    any_of: Pointer | None
    order: tuple[tuple[Pointer, bool], ...]
    page: Paging | None
    item: "Value | None"
    refused: "Value | None" = None


@dataclass(frozen=True, slots=True)
class Shaped:
    """A value that is written in another way, and is absent where a condition does not hold."""

    value: "Value"
    written_as: Literal["text", "integer", "base64"] | None
    when: tuple[tuple[Pointer, Validator | None], ...]


Value = Echo | New | Apply | Constant | Composed | Join | SignedToken | CountOf | Each | Shaped
