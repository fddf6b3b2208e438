"""What a test knows of an account: its recorded calls, those it has seen, pins in vain, what it has yet to await."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mockserver.testing.call import Call
from mockserver.testing.client import Control, ControlError
from mockserver.testing.names import Public

PAGE_CALLS = "1000"  # calls read at a time


class Calls(Public, list[Call]):
    """Calls, oldest first. As with any list, ``calls[-1]`` of no calls raises IndexError, and so do these two."""

    def __init__(self, calls: Iterable[Call] = (), of: str = "this list") -> None:
        super().__init__(calls)
        self._of = of

    @property
    def first(self) -> Call:
        """The oldest. Raises IndexError if there is none."""
        return self._at(0)

    @property
    def last(self) -> Call:
        """The latest. Raises IndexError if there is none."""
        return self._at(-1)

    def _at(self, index: int) -> Call:
        if not self:
            raise IndexError(f"{self._of} has no recorded call")
        return self[index]


@dataclass(frozen=True, slots=True)
class Early:
    """An assertion that found too few calls and did not wait: the call that was then the latest ("": none)."""

    name: str
    scope: Mapping[str, str]
    latest: str


@dataclass(slots=True)
class Unawaited:
    """What was made for an account and not awaited yet: an assertion that nobody awaits asserts nothing.

    ``owner`` is what a test calls the account. Where it ``is_watched``, somebody looks here when the test ends, and no
    warning is needed.
    """

    owner: str = "account"
    is_watched: bool = False
    _lines: dict[int, str] = field(default_factory=dict)
    _made: int = 0

    def add(self, line: str) -> int:
        """Note what is to be awaited, and where it was made; returns the number by which to remove it."""
        self._made += 1
        self._lines[self._made] = line
        return self._made

    def remove(self, number: int) -> None:
        """Note that it is awaited."""
        self._lines.pop(number, None)

    @property
    def lines(self) -> list[str]:
        """``tests/test_app.py:12: account.<vendor>.assert_called(...) was never awaited``, oldest first."""
        return list(self._lines.values())


@dataclass(slots=True)
class AccountCalls:
    """The recorded calls of an account. ``seen`` are the ids of those that a test has read or an assertion matched.

    ``pin_places`` says by its id in which file and line a pin was made. ``unused_pins`` has a line for each pin that
    was removed before calls used it up. ``early`` are assertions that may only have been asked too early. It
    ``is_watched`` where somebody looks at the calls when the test ends: ``forgotten`` are those that are gone by then.
    ``is_kept`` where the account stays on the server when the test ends.
    ``with_courses`` are the operations whose messages can be delivered.
    """

    control: Control
    account: str
    seen: set[str] = field(default_factory=set)
    pin_places: dict[str, str] = field(default_factory=dict)
    unused_pins: list[str] = field(default_factory=list)
    unawaited: Unawaited = field(default_factory=Unawaited)
    early: list[Early] = field(default_factory=list)
    is_watched: bool = False
    is_kept: bool = False
    forgotten: list[Call] = field(default_factory=list)
    with_courses: frozenset[str] = frozenset()

    def calls(self, **filters: str | None) -> Calls:
        """The calls of a vendor or operation, oldest first. They count as read."""
        calls = self.all(**filters)
        self.seen.update(call.id for call in calls)
        return calls

    def all(self, **filters: str | None) -> Calls:
        """The calls of a vendor or operation, oldest first. They do not count as read."""
        name = filters.get("operation") or filters.get("vendor") or f"account {self.account}"
        return Calls(list(self._newest(filters))[::-1], name)

    def _newest(self, filters: Mapping[str, str | None]) -> Iterator[Call]:
        cursor: str | None = None
        while True:
            page = self.control.get("calls", account=self.account, limit=PAGE_CALLS, cursor=cursor, **filters)
            yield from (Call(data) for data in page["calls"])
            cursor = page["next"]
            if cursor is None:
                return

    def keep(self, **filters: str | None) -> None:
        """Keep the calls of a vendor or operation that are forgotten next, for whoever watches."""
        if self.is_watched:
            self.forgotten += self.all(**filters)

    def forget(self, reach: str) -> None:
        """Forget the calls of an operation, or of a vendor (``vendor.*``), and remove their pins."""
        self.control.delete("calls", account=self.account, operation=reach)
        self.control.delete("pins", account=self.account, operation=reach)

    def note_early(self, name: str, scope: Mapping[str, str]) -> None:
        """Remember that an assertion found too few calls and did not wait."""
        try:
            latest = self.control.get("calls", account=self.account, limit="1", **scope)["calls"]
        except ControlError:  # the assertion's own failure says more
            return
        self.early.append(Early(name, scope, latest[0]["id"] if latest else ""))
