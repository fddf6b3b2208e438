"""The file of a store: whose it is, what it refuses, and what happens when it cannot be written."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from mockserver.store import sqlite_file
from mockserver.store.durable import DurableStore
from mockserver.store.journal import Query
from mockserver.store.kinds import StoreError, StoreUnavailableError
from mockserver.store.log import StateLog
from mockserver.store.sqlite_file import SCHEMAS, StoreFile
from tests.engine.workbench import recorded
from tests.store.stores import Bounds, World, open_file, run

PUT = "INSERT INTO state(kind, account, list, name, value) VALUES('x', '', '', ?, NULL)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


@pytest.fixture
def store(path: Path) -> Iterator[DurableStore]:
    store = open_file(path, Bounds(), World())
    yield store
    run(store.close())


def changed(path: Path, *statements: str) -> None:
    """Have another program do something to the file."""
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


def fresh(path: Path) -> None:
    """A file of ours that nobody uses."""
    run(StoreFile(path).close())


def test_a_second_server_is_refused(path: Path, store: DurableStore) -> None:
    """From the start on, and after writing; nobody can read it meanwhile, and all can afterwards."""
    for _ in range(2):
        with pytest.raises(StoreError, match=f"{path} is in use by another process"):
            StoreFile(path)
        run(store.commit(recorded()))
    run(store.close())
    StoreFile(path).let_go()


def test_only_its_user_may_read_it(path: Path, store: DurableStore) -> None:
    """It has credentials and bodies in clear; so has the log beside it."""
    run(store.commit(recorded()))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"calls.db": 0o600, "calls.db-wal": 0o600}


def test_a_name_that_looks_like_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a name: the file that only its user may read is the one that is written."""
    monkeypatch.chdir(tmp_path)
    store = open_file(Path("file:x.db?mode=memory"), Bounds(), World())
    run(store.add_account("one", {}))
    run(store.close())
    assert [file.name for file in tmp_path.iterdir()] == ["file:x.db?mode=memory"]
    assert b"one" in (tmp_path / "file:x.db?mode=memory").read_bytes()


def test_a_file_that_may_not_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why is told, not what SQLite makes of it."""
    path.touch(0o444)
    monkeypatch.setattr(os, "access", lambda at, mode: (at, mode) != (path, os.W_OK))
    with pytest.raises(StoreError, match=f"cannot use {path}: its permissions let this user not write it"):
        open_file(path, Bounds(), World())


def test_nothing_is_left_beside_it(path: Path, store: DurableStore) -> None:
    """A file that was closed is whole without its log."""
    run(store.commit(recorded()))
    run(store.close())
    assert [file.name for file in path.parent.iterdir()] == ["calls.db"]
    run(store.close())


def test_no_database(path: Path) -> None:
    """Another kind of file stays as it is."""
    path.write_bytes(b"not a database, " * 100)
    with pytest.raises(StoreError, match=f"{path} is no SQLite database; choose another file"):
        StoreFile(path)
    assert path.read_bytes() == b"not a database, " * 100


@pytest.mark.parametrize("statement", ["CREATE TABLE notes(x)", "PRAGMA user_version = 1", "PRAGMA application_id = 7"])
def test_another_programs_database(path: Path, statement: str) -> None:
    """It is refused, and left as it is."""
    changed(path, statement)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=f"{path} is another program's database"):
        StoreFile(path)
    assert path.read_bytes() == before


def test_a_later_schema(path: Path) -> None:
    """What a later version wrote is not read by guess."""
    fresh(path)
    changed(path, f"PRAGMA user_version = {len(SCHEMAS) + 1}")
    with pytest.raises(StoreError, match=rf"by a later mockserver \(schema {len(SCHEMAS) + 1}; this one reads up to"):
        StoreFile(path)


def test_an_earlier_schema_becomes_the_present_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the scripts of the versions since; what was there stays. A script that fails changes nothing."""
    file = StoreFile(path)
    run(write(file, [(PUT, ("a",))]))
    run(file.close())
    monkeypatch.setattr(sqlite_file, "SCHEMAS", (*SCHEMAS, "ALTER TABLE state ADD COLUMN more; NONSENSE;"))
    with pytest.raises(StoreError, match=f"cannot use {path}: near .NONSENSE.: syntax error"):
        StoreFile(path)
    monkeypatch.setattr(sqlite_file, "SCHEMAS", (*SCHEMAS, "ALTER TABLE state ADD COLUMN more;"))
    file = StoreFile(path)
    file.let_go()
    with closing(sqlite3.connect(path)) as db:
        assert list(db.execute("SELECT name, more FROM state")) == [("a", None)]


async def write(file: StoreFile, statements: list[Any]) -> None:
    await file.write(statements)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """One line, the system's reason in it; a folder in the file's place, too."""
    with pytest.raises(StoreError, match=r"cannot use .*calls\.db: No such file or directory"):
        StoreFile(tmp_path / "nowhere" / "calls.db")
    with pytest.raises(StoreError, match=f"cannot use {tmp_path}: "):
        StoreFile(tmp_path)


def test_a_file_system_without_room_for_a_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SQLite cannot keep a log beside the file, nothing else is tried."""

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            return super().execute("SELECT 'delete'" if "journal_mode" in sql else sql, *values)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **more: connect(*given, factory=Connection, **more))
    with pytest.raises(StoreError, match="has no room for SQLite's write-ahead log"):
        StoreFile(path)


DAMAGE = {
    "a-value": "UPDATE state SET value = CAST('{' AS BLOB)",
    "a-member": "UPDATE state SET value = CAST('{}' AS BLOB)",
    "a-table": "DROP TABLE calls",
    "a-label": "UPDATE calls SET label = '{\"unknown\": 1}'",
    "a-type": "UPDATE calls SET account = 7",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file(path: Path, store: DurableStore, damage: str) -> None:
    """One line, and the file is free again."""
    run(store.add_account("one", {}))
    run(store.commit(recorded(account="one")))
    run(store.close())
    changed(path, DAMAGE[damage])
    for _ in range(2):
        with pytest.raises(StoreError, match=f"{path} cannot be read: "):
            open_file(path, Bounds(), World())


def test_what_comes_together_is_written_together(path: Path) -> None:
    """One transaction takes all that waits; each is told when it is in the file, in any loop."""
    file = StoreFile(path)
    commits = 0

    async def scenario() -> None:
        nonlocal commits
        file._db.set_trace_callback(count)  # noqa: SLF001 -- what reaches the disk is seen nowhere else
        await asyncio.gather(*(file.write([(PUT, (f"{number}",))]) for number in range(100)))

    def count(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    run(scenario())
    assert 1 <= commits <= 50
    run(file.close())
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM state").fetchone() == (100,)


def test_whoever_leaves_is_not_waited_for(path: Path) -> None:
    """A client that hangs up, and a loop that ends, leave the rest in order."""
    file = StoreFile(path)

    async def leaving() -> None:
        task = asyncio.create_task(file.write([(PUT, ("left",))]))
        await asyncio.sleep(0)
        task.cancel()
        await file.write([(PUT, ("stays",))])
        file.post([(PUT, ("posted",))])

    run(leaving())
    run(file.close())
    file.post([(PUT, ("too late",))])
    with closing(sqlite3.connect(path)) as db:
        assert [name for (name,) in db.execute("SELECT name FROM state ORDER BY id")] == ["left", "stays", "posted"]


def test_what_is_no_sql(path: Path) -> None:
    """Nothing of a transaction is there where a part of it fails, and nobody waits for ever."""
    file = StoreFile(path)
    with pytest.raises(StoreError, match=r"cannot be written: near .NONSENSE."):
        file.begin([(PUT, ("a",)), ("NONSENSE", ())])
    assert list(file.states()) == []
    with pytest.raises(StoreUnavailableError, match=r"cannot be written: near .NONSENSE."):
        run(write(file, []))
    run(file.close())
    with pytest.raises(StoreUnavailableError, match="start the server again"):
        run(write(file, []))


def full(store: DurableStore, pages: int | None) -> None:
    """Let the disk be full: the file may have no more than so many pages (None: it may grow)."""
    most = 10**6 if pages is None else pages
    store._file._db.execute(f"PRAGMA max_page_count = {most}")  # noqa: SLF001 -- a real full disk needs root


def test_a_full_disk(path: Path, store: DurableStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is not answered, and nothing changes from then on; with room again all goes on by itself.

    What was under way when the disk was full is in the journal, as a call that got no answer.
    """
    monkeypatch.setattr(sqlite_file, "REWRITE_SECONDS", 0.01)

    async def scenario() -> None:
        await store.add_account("one", {})
        first, second, third = (recorded(account="one", body=b"x" * 100_000, outcome="pending") for _ in range(3))
        await store.commit(first)
        full(store, 1)
        with pytest.raises(StoreUnavailableError, match=f"{path} cannot be written: database or disk is full"):
            await store.commit(second)
        with pytest.raises(StoreUnavailableError, match="full"):
            await store.commit(third)
        for change in (store.add_account("two", {}), store.reset_account("one"), store.clear_calls(None)):
            with pytest.raises(StoreUnavailableError, match="full"):
                await change
        assert [call.number for call in (await store.calls(Query())).calls] == [second.number, first.number]
        assert [account.id for account in await store.accounts()] == ["one"]
        full(store, None)
        await until(lambda: store.commit(third))
        await store.complete(third, "sent", 1)
        await store.close()
        again = open_file(path, Bounds(), World())
        calls = (await again.calls(Query())).calls
        await again.close()
        assert [(call.number, call.outcome) for call in calls] == [
            (third.number, "sent"),
            (second.number, "aborted"),
            (first.number, "pending"),
        ]

    run(scenario())


def test_a_full_disk_is_told(path: Path, store: DurableStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once when it is met, and once when there is room again; meanwhile the store says that it keeps nothing."""
    monkeypatch.setattr(sqlite_file, "REWRITE_SECONDS", 0.01)
    told: list[str] = []
    store.condition.tell = told.append

    async def scenario() -> None:
        await store.check()
        full(store, 1)
        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match="full"):
                await store.commit(recorded(body=b"x" * 100_000))
            with pytest.raises(StoreUnavailableError, match="full"):
                await store.check()
        full(store, None)
        await until(store.check)
        await store.commit(recorded())
        await store.close()

    run(scenario())
    why = f"{path} cannot be written: database or disk is full"
    assert told == [f"{why}; until the store can be used again, calls get 503", "the store can be used again"]
    assert store.condition.commits == 1
    assert store.condition.seconds > 0


async def until(work: Callable[[], Awaitable[object]]) -> None:
    """Return once something can be done."""
    for _ in range(500):
        with suppress(StoreUnavailableError):
            await work()
            return
        await asyncio.sleep(0.01)


def test_the_file_stays_as_large_as_what_is_kept(path: Path) -> None:
    """Room that calls leave is used again: ten times as many calls make no larger file."""
    store = open_file(path, Bounds(calls=50), World())

    async def send(times: int) -> None:
        await asyncio.gather(*(store.commit(recorded(account="one", body=b"x" * 2000)) for _ in range(times)))
        store._file._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # noqa: SLF001 -- as when it is closed

    sizes = []
    for times in (100, 1000):
        run(send(times))
        sizes.append(path.stat().st_size)
    run(store.close())
    assert 100_000 < sizes[0] < 500_000
    assert sizes[1] <= sizes[0] * 1.5


def test_the_first_of_a_list_are_found_in_its_order() -> None:
    """To forget them takes no look at the rest, however long the list is: each call that is kept does it."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript("".join(SCHEMAS))
        log = StateLog()
        log.drop_before("kept", "one", "m1", of="sent")
        ((sql, values),) = log.take()
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert any("state_in_order (kind=? AND account=? AND list=? AND id<?)" in step for step in plan)
