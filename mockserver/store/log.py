"""What has changed in memory and is not in the file yet, as statements in the order of the changes."""

from collections.abc import Iterable
from typing import Any

from mockserver.engine.call import RecordedCall
from mockserver.store.journal import Journal, _Shelf
from mockserver.store.planned_steps import StepDue
from mockserver.store.record_list import Record
from mockserver.store.records import Records, _Keeping
from mockserver.store.rows import CALL_COLUMNS, CallWriter, Cell, Statement, dump, text_cell

_PUT_CALL = f"INSERT INTO calls({', '.join(CALL_COLUMNS)}) VALUES({', '.join('?' * len(CALL_COLUMNS))})"
_DROP_CALL = "DELETE FROM calls WHERE number = ?"
_END_CALL = "UPDATE calls SET outcome = ?, duration_ms = ? WHERE number = ?"
_PUT = "INSERT OR REPLACE INTO state(kind, account, list, name, value) VALUES(?, ?, ?, ?, ?)"
_SET = (
    "INSERT INTO state(kind, account, list, name, value) VALUES(?, ?, ?, ?, ?) "
    "ON CONFLICT (kind, account, list, name) DO UPDATE SET value = excluded.value"
)
_PUT_FIRST = "INSERT OR IGNORE INTO state(kind, account, list, name, value) VALUES(?, ?, ?, ?, ?)"
_CHANGE = "UPDATE state SET value = ? WHERE kind = ? AND account = ? AND list = ? AND name = ?"
_DROP = "DELETE FROM state WHERE kind = ? AND account = ? AND list = ? AND name = ?"
_DROP_LIST = "DELETE FROM state WHERE kind = ? AND account = ? AND list = ?"
_DROP_BEFORE = (
    "DELETE FROM state WHERE kind = ? AND account = ? AND list = ? AND id < "
    "(SELECT id FROM state WHERE kind = ? AND account = ? AND list = ? AND name = ?)"
)
_DROP_COUNTED = "DELETE FROM state WHERE kind = ? AND account = ? AND list = ? AND substr(name, 1, length(?)) = ?"
_DROP_PASSED = _DROP_COUNTED + " AND (value <= ? OR value > ?)"
_FORGET = "DELETE FROM state WHERE account = ? AND kind NOT IN ('account', 'met')"


class StateLog:
    """Rows of ``state`` have a kind, an account, a list and a name. Of a list, those that came later stand later."""

    def __init__(self) -> None:
        self._statements: list[Statement] = []
        self._calls = CallWriter()

    def __bool__(self) -> bool:
        return bool(self._statements)

    def take(self) -> list[Statement]:
        """What is to be written."""
        taken, self._statements = self._statements, []
        return taken

    def put_call(self, call: RecordedCall) -> None:
        """Write a call."""
        self._statements.append((_PUT_CALL, self._calls.row(call)))

    def end_calls(self, calls: Iterable[RecordedCall]) -> None:
        """Write how sending their responses ended."""
        self._add_many(_END_CALL, [(call.outcome, call.duration_ms, call.number) for call in calls])

    def drop_calls(self, numbers: Iterable[int]) -> None:
        """Forget these calls."""
        self._add_many(_DROP_CALL, [(number,) for number in numbers])

    def put(self, kind: str, account: str, name: str, value: Any, of: str | bytes = "") -> None:
        """Write a row as the last of its list, in place of one of this name."""
        self._add(_PUT, kind, account, of, name, dump(value))

    def set(self, kind: str, account: str, name: str | bytes, value: Any) -> None:
        """Write a row; one of this name gets another value where it stands."""
        self._add(_SET, kind, account, "", name, dump(value))

    def put_first(self, kind: str, account: str, name: str, value: Any) -> None:
        """Write a row unless it is there."""
        self._add(_PUT_FIRST, kind, account, "", name, dump(value))

    def change(self, kind: str, account: str, name: str, value: Any, of: str | bytes = "") -> None:
        """Write another value into a row, which stays where it stands."""
        self._add(_CHANGE, dump(value), kind, account, of, name)

    def drop(self, kind: str, account: str, name: str = "", of: str | bytes = "") -> None:
        """Forget a row."""
        self._add(_DROP, kind, account, of, name)

    def drop_evicted(self, account: str | None) -> None:
        """Forget how many calls of an account (None: of all) had to make room."""
        self._add("DELETE FROM state WHERE kind = 'evicted' AND account = ifnull(?, account)", account)

    def drop_list(self, kind: str, account: str, of: str | bytes = "") -> None:
        """Forget the rows of a list."""
        self._add(_DROP_LIST, kind, account, of)

    def drop_before(self, kind: str, account: str, name: str, of: str | bytes = "") -> None:
        """Forget the rows of a list that came before this one."""
        self._add(_DROP_BEFORE, kind, account, of, kind, account, of, name)

    def count(  # noqa: PLR0913, PLR0917 -- a row's names, and its window
        self, account: str, operation: str, counted_by: str, number: int, at: float, seconds: float
    ) -> None:
        """Write that a request was counted at a time; what the window has passed goes."""
        begin = _counted(counted_by)
        self._add(_DROP_PASSED, "counted", account, operation, begin, begin, at - seconds, at)
        self._add(_PUT, "counted", account, operation, f"{begin}{number}", at)

    def drop_counted(self, account: str, operation: str, counted_by: str) -> None:
        """Forget the requests that were counted by a value."""
        begin = _counted(counted_by)
        self._add(_DROP_COUNTED, "counted", account, operation, begin, begin)

    def forget(self, account: str) -> None:
        """Forget what an account did and what was switched on for it."""
        self._add(_FORGET, account)

    def _add_many(self, sql: str, rows: list[tuple[Cell, ...]]) -> None:
        if rows:
            self._statements.append((sql, rows))

    def _add(self, sql: str, *values: Cell) -> None:
        self._statements.append((sql, tuple(text_cell(v) if isinstance(v, str) else v for v in values)))


def _counted(by: str) -> str:
    """How the names of rows begin that are counted by a value; no other value's begin so."""
    return f"{dump([by]).decode('utf-8', 'surrogatepass')}/"


class LoggedJournal(Journal):
    """A journal that tells which calls had to make room."""

    def __init__(self, calls_per_account: int, total_bytes: int) -> None:
        super().__init__(calls_per_account, total_bytes)
        self.dropped: list[RecordedCall] = []

    def _evict(self, shelf: _Shelf) -> None:
        self.dropped.append(shelf.calls[0])
        super()._evict(shelf)


class LoggedRecords(Records):
    """Records that tell which steps were planned, and which records are gone: vendor, list and key."""

    def __init__(self) -> None:
        super().__init__()
        self.planned: list[StepDue] = []
        self.gone: list[tuple[str, str, str]] = []

    def _let_go(self, keeping: _Keeping, vendor: str, list_name: str, key: str, record: Record) -> None:
        self.gone.append((vendor, list_name, key))
        super()._let_go(keeping, vendor, list_name, key, record)

    def _plan(self, keeping: _Keeping, step: StepDue) -> None:
        self.planned.append(step)
        super()._plan(keeping, step)
