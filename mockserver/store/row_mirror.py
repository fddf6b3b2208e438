"""The rows of a state in memory, and which of them have changed since the last checkpoint of those who share it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from mockserver.engine.call import RecordedCall
from mockserver.store.log import StateLog
from mockserver.store.rows import Statement, cell_text, dump, load

ListName = tuple[str, str, str]  # kind, account, list
Row = tuple[int, bytes]  # where it stands among the others, and its value
LASTING = frozenset({"account", "met", "lost"})  # kinds of rows that a reset leaves


class RowMirror(StateLog):
    """Rows as the file of a store has them, by list and name; ``index`` is that of the change that is being written."""

    def __init__(self, written: Mapping[bytes, bytes]) -> None:
        super().__init__()
        self.index = 0
        self.dropped: dict[int, int] = {}  # numbers of calls that are gone, by when that was
        self._lists: dict[ListName, dict[str, Row]] = {}
        self._of_account: dict[str, dict[ListName, None]] = {}
        self._changed: dict[tuple[ListName, str], int] = {}
        self._order = 0
        rows = sorted((*_read_row(row), name) for name, row in written.items())
        for order, value, name in rows:
            kind, account, of, row_name = load(name)
            self._list((kind, account, of))[row_name] = (order, value)
            self._order = order

    def __bool__(self) -> bool:
        return False

    def take(self) -> list[Statement]:
        """Nothing: rows go with a checkpoint."""
        return []

    def states(self) -> Iterator[tuple[str, str, str, str, bytes]]:
        """All rows, oldest first."""
        rows = [(row, at, name) for at, rows in self._lists.items() for name, row in rows.items()]
        return ((*at, name, value) for (_, value), at, name in sorted(rows, key=lambda entry: entry[0][0]))

    def changes(self) -> tuple[list[bytes], list[bytes]]:
        """Names of the rows that are gone; names and values of those that are new or have changed."""
        gone, written = [], []
        for at, name in self._changed:
            row, field = self._lists.get(at, {}).get(name), dump([*at, name])
            if row is None:
                gone.append(field)
            else:
                written += [field, b"%d %b" % row]
        return gone, written

    def forget_until(self, checkpoint: int) -> None:
        """Forget what has changed up to an index: it is written."""
        self._changed = {row: index for row, index in self._changed.items() if index > checkpoint}
        self.dropped = {number: index for number, index in self.dropped.items() if index > checkpoint}

    def put_call(self, call: RecordedCall) -> None:
        """Nothing: a call is kept as the change that it came as."""

    def end_calls(self, calls: Iterable[RecordedCall]) -> None:
        """Nothing: ends are kept beside the calls."""

    def drop_calls(self, numbers: Iterable[int]) -> None:
        """Note which calls are gone."""
        self.dropped.update(dict.fromkeys(numbers, self.index))

    def put(self, kind: str, account: str, name: str, value: Any, of: str | bytes = "") -> None:
        """Write a row as the last of its list, in place of one of this name."""
        at = (kind, account, cell_text(of))
        self._list(at).pop(name, None)
        self._write(at, name, dump(value))

    def set(self, kind: str, account: str, name: str | bytes, value: Any) -> None:
        """Write a row; one of this name gets another value where it stands."""
        self._write((kind, account, ""), cell_text(name), dump(value))

    def put_first(self, kind: str, account: str, name: str, value: Any) -> None:
        """Write a row unless it is there."""
        if name not in self._lists.get((kind, account, ""), {}):
            self.set(kind, account, name, value)

    def change(self, kind: str, account: str, name: str, value: Any, of: str | bytes = "") -> None:
        """Write another value into a row, which stays where it stands."""
        at = (kind, account, cell_text(of))
        if name in self._lists.get(at, {}):
            self._write(at, name, dump(value))

    def drop(self, kind: str, account: str, name: str = "", of: str | bytes = "") -> None:
        """Forget a row."""
        self._drop((kind, account, cell_text(of)), [name])

    def drop_evicted(self, account: str | None) -> None:
        """Forget how many calls of an account (None: of all) had to make room."""
        for name in list(self._of_account) if account is None else [account]:
            self.drop("evicted", name)

    def drop_list(self, kind: str, account: str, of: str | bytes = "") -> None:
        """Forget the rows of a list."""
        at = (kind, account, cell_text(of))
        self._drop(at, list(self._lists.get(at, ())))

    def drop_before(self, kind: str, account: str, name: str, of: str | bytes = "") -> None:
        """Forget the rows of a list that came before this one."""
        at = (kind, account, cell_text(of))
        rows = self._lists.get(at, {})
        if name in rows:
            self._drop(at, list(takewhile(lambda one: one != name, rows)))  # few, however long the list is

    def drop_oldest(self, kind: str, account: str, most: int) -> None:
        """Forget the rows of a list that came before the latest ones."""
        at = (kind, account, "")
        self._drop(at, list(self._lists.get(at, ()))[:-most])

    def count(  # noqa: PLR0913, PLR0917 -- a row's names, and its window
        self, account: str, operation: str, counted_by: str, number: int, at: float, seconds: float
    ) -> None:
        """Write that a request was counted at a time; what the window has passed goes."""
        counted = ("counted", account, operation)
        times = [(name, load(value)) for name, value in self._counted(counted, counted_by)]
        self._drop(counted, [name for name, time in times if time <= at - seconds or time > at])
        self.put("counted", account, f"{_begin(counted_by)}{number}", at, of=operation)

    def drop_counted(self, account: str, operation: str, counted_by: str) -> None:
        """Forget the requests that were counted by a value."""
        counted = ("counted", account, operation)
        self._drop(counted, [name for name, _ in self._counted(counted, counted_by)])

    def forget(self, account: str) -> None:
        """Forget what an account did and what was switched on for it."""
        for at in [at for at in self._of_account.get(account, ()) if at[0] not in LASTING]:
            self._drop(at, list(self._lists[at]))

    def _counted(self, at: ListName, counted_by: str) -> list[tuple[str, bytes]]:
        begin = _begin(counted_by)
        return [(name, value) for name, (_, value) in self._lists.get(at, {}).items() if name.startswith(begin)]

    def _list(self, at: ListName) -> dict[str, Row]:
        rows = self._lists.get(at)
        if rows is None:
            rows = self._lists[at] = {}
            self._of_account.setdefault(at[1], {})[at] = None
        return rows

    def _write(self, at: ListName, name: str, value: bytes) -> None:
        rows = self._list(at)
        if name in rows:
            order = rows[name][0]
        else:
            self._order = order = self._order + 1
        rows[name] = (order, value)
        self._changed[at, name] = self.index

    def _drop(self, at: ListName, names: Iterable[str]) -> None:
        rows = self._lists.get(at, {})
        for name in names:
            if rows.pop(name, None) is not None:
                self._changed[at, name] = self.index
        if at in self._lists and not rows:
            del self._lists[at], self._of_account[at[1]][at]
            if not self._of_account[at[1]]:
                del self._of_account[at[1]]


def _begin(counted_by: str) -> str:
    """How the names of rows begin that are counted by a value; no other value's begin so."""
    return f"{cell_text(dump([counted_by]))}/"


def _read_row(row: bytes) -> Row:
    order, _, value = row.partition(b" ")
    return int(order), value
