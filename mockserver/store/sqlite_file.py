"""One SQLite file, used by one process through one connection: what is written together is in it together, or not.

A thread writes. What comes while a transaction is under way goes into the next one, so that one commit of the file
serves many calls. Only this connection reads, writes and checkpoints. The bug of SQLite before 3.51.3 that can damage a
file when two connections reset its log at once therefore cannot happen.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from itertools import groupby
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from mockserver.store.kinds import StoreError, StoreUnavailableError, unreadable
from mockserver.store.rows import CALL_COLUMNS, Statement

APPLICATION_ID = 0x6D6F636B  # tells our files from those of other programs
MAX_UNITS_TOGETHER = 256  # that one transaction writes
REWRITE_SECONDS = 0.5  # between two attempts to write what could not be written
MAX_LOG_BYTES = 16 * 1024 * 1024  # that SQLite's own log keeps on the disk
FILE_MODE = 0o600  # calls and accounts have secrets
SCHEMAS = (
    f"""
    CREATE TABLE calls (
        number INTEGER PRIMARY KEY,
        {", ".join(CALL_COLUMNS[1:])}
    );
    CREATE TABLE state (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        account TEXT NOT NULL,
        list NOT NULL,
        name NOT NULL,
        value,
        UNIQUE (kind, account, list, name)
    );
    """,
    "CREATE INDEX state_in_order ON state (kind, account, list, id);",  # the first of a long list are found at once
)
"""What makes of a file of each earlier schema one of the next; the first is made of an empty file."""

_STATE = "SELECT kind, account, list, name, value FROM state ORDER BY id"
_CALLS = f"SELECT {', '.join(CALL_COLUMNS)} FROM calls ORDER BY number"  # noqa: S608 -- names of ours
_LAST_NUMBER = "SELECT max(number) FROM calls"


class _Unit(NamedTuple):
    """Statements to write in one transaction, and who waits for it."""

    statements: Sequence[Statement]
    waiting: asyncio.Future[str | None] | None = None
    is_last: bool = False


class StoreFile:
    """A file that is open and locked until it is closed. Raises StoreError where it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._trouble: str | None = None
        self._unwritten: list[Statement] = []
        self._queue: SimpleQueue[_Unit] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._db = _connected(path)
        try:
            _prepare(self._db, path)
        except BaseException:
            self._db.close()
            raise

    def states(self) -> Iterable[tuple[Any, ...]]:
        """The rows of the state, oldest first; only before anything is written. Raises StoreError."""
        return self._read(_STATE)

    def calls(self) -> Iterable[tuple[Any, ...]]:
        """The calls as CALL_COLUMNS has them, oldest first. Raises StoreError."""
        return self._read(_CALLS)

    def last_number(self) -> int | None:
        """The number of the last call; None where there is none. Raises StoreError."""
        (number,) = next(iter(self._read(_LAST_NUMBER)))
        return None if number is None else int(number)

    def _read(self, sql: str) -> Iterable[tuple[Any, ...]]:
        try:
            yield from self._db.execute(sql)
        except sqlite3.Error as error:
            raise unreadable(self.path, error) from error

    def begin(self, statements: Sequence[Statement]) -> None:
        """Write these statements before anything else is written. Raises StoreError."""
        self._unwritten += statements
        trouble = self._write_all()
        if trouble is not None:
            raise StoreError(trouble)

    def let_go(self) -> None:
        """Close a file to which nothing was written since the beginning."""
        self._is_closed = True
        self._end()

    def check(self) -> None:
        """Raise StoreUnavailableError where nothing can be written now."""
        if self._is_closed:
            raise StoreUnavailableError(f"{self.path} is closed, as its server has ended: start the server again")
        if self._trouble is not None:
            raise StoreUnavailableError(self._trouble)

    async def write(self, statements: Sequence[Statement]) -> None:
        """Return once these statements are in the file, and all that were posted before.

        Raises StoreUnavailableError where they are not. They are kept then, and written as soon as that is possible.
        """
        if self._is_closed:
            self.check()
        waiting = asyncio.get_running_loop().create_future()
        self._put(_Unit(statements, waiting))
        trouble = await waiting
        if trouble is not None:
            raise StoreUnavailableError(trouble)

    def post(self, statements: Sequence[Statement]) -> None:
        """Have statements written soon; a crash may lose them, and so does a file that is closed."""
        if not self._is_closed:
            self._put(_Unit(statements))

    async def close(self) -> None:
        """Write what is left, and let go of the file."""
        if self._is_closed:
            return
        waiting = asyncio.get_running_loop().create_future()
        thread = self._put(_Unit((), waiting, is_last=True))
        self._is_closed = True
        await waiting
        thread.join()

    def _put(self, unit: _Unit) -> threading.Thread:
        """Hand a unit to the thread that writes, which begins with the first one."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="mockserver-store", daemon=True)
            self._thread.start()
        self._queue.put(unit)
        return self._thread

    def _work(self) -> None:
        """Write what comes, until the last unit."""
        is_open = True
        while is_open:
            units = self._next_units()
            is_open = not any(unit.is_last for unit in units)
            for unit in units:
                self._unwritten += unit.statements
            self._trouble = self._write_all()
            if not is_open:
                self._end()
            _tell(units, self._trouble)

    def _next_units(self) -> list[_Unit]:
        """What waits to be written; nothing where it is time to try again."""
        units = []
        with suppress(Empty):
            units.append(self._queue.get(timeout=REWRITE_SECONDS if self._unwritten else None))
            while len(units) < MAX_UNITS_TOGETHER and not units[-1].is_last:
                units.append(self._queue.get_nowait())
        return units

    def _write_all(self) -> str | None:
        """Write all that is not written yet; returns why that is impossible, None where it is done."""
        if not self._unwritten:
            return None
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for sql, values in self._unwritten:
                if isinstance(values, tuple):
                    self._db.execute(sql, values)
                else:
                    self._db.executemany(sql, values)
            self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 -- whatever it is, those who wait have to be told
            with suppress(sqlite3.Error):
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            return f"{self.path} cannot be written: {error}"
        self._unwritten.clear()
        return None

    def _end(self) -> None:
        with closing(self._db), suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _connected(path: Path) -> sqlite3.Connection:
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE))
        if not os.access(path, os.W_OK):
            raise StoreError(f"cannot use {path}: its permissions let this user not write it")
        whole = path.absolute()  # a name that begins with "file:" is an address for SQLite
        return sqlite3.connect(whole, timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot use {path}: {getattr(error, 'strerror', None) or error}") from error


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    """Lock a file, and give it the present schema. Raises StoreError."""
    try:
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        version = _version(db, path)
        (mode,) = db.execute("PRAGMA journal_mode=WAL").fetchone()
        if mode != "wal":
            raise StoreError(f"cannot use {path}: its file system has no room for SQLite's write-ahead log")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute(f"PRAGMA journal_size_limit={MAX_LOG_BYTES}")
        scripts = [*SCHEMAS[version:], f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={len(SCHEMAS)};"]
        db.executescript(f"BEGIN IMMEDIATE; {''.join(scripts)} COMMIT; PRAGMA wal_checkpoint(TRUNCATE);")
    except sqlite3.Error as error:
        raise StoreError(_told(path, error)) from error


def _version(db: sqlite3.Connection, path: Path) -> int:
    """The schema of a file, 0 where it is empty. Raises StoreError for another program's file, and for a later one."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (tables or version or application):
        raise StoreError(f"{path} is another program's database; choose another file")
    if version > len(SCHEMAS):
        raise StoreError(
            f"{path} was written by a later mockserver (schema {version}; this one reads up to {len(SCHEMAS)}): "
            "use that one, or choose another file"
        )
    return int(version)


def _told(path: Path, error: sqlite3.Error) -> str:
    """Why a file cannot be used, for its user."""
    if "is not a database" in str(error):
        return f"{path} is no SQLite database; choose another file"
    if "locked" in str(error):
        return f"{path} is in use by another process; one file is one server's"
    return f"cannot use {path}: {error}"


def _tell(units: Iterable[_Unit], trouble: str | None) -> None:
    """Tell those who wait what became of it: one hop into each loop."""
    waiting = [unit.waiting for unit in units if unit.waiting is not None]
    for loop, futures in groupby(waiting, key=lambda future: future.get_loop()):
        with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(_settle, list(futures), trouble)


def _settle(futures: list[asyncio.Future[str | None]], trouble: str | None) -> None:
    for future in futures:
        if not future.done():
            future.set_result(trouble)
