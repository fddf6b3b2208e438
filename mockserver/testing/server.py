"""A running mockserver, wherever it runs; and one of your own."""

import _thread
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from mockserver.testing.account import Account, Made
from mockserver.testing.arguments import json_value, mapping
from mockserver.testing.calls import AccountCalls
from mockserver.testing.client import Control, ControlError
from mockserver.testing.intercept import Interception
from mockserver.testing.names import Public, nearest_hint

if TYPE_CHECKING:
    from mockserver.server.settings import Settings


class MockServer(Public):
    """``token`` is the control API's (default: the environment's MOCKSERVER_ADMIN_TOKEN).

    ``before_delete`` is called with the id of each account that is about to be deleted. The server is
    asked for its health on first use. All methods raise ControlError, saying what to do.
    """

    def __init__(
        self, url: str, token: str | None = None, *, before_delete: Callable[[str], None] | None = None
    ) -> None:
        self._control = Control(url, token)
        self._before_delete = before_delete
        self._operations: Mapping[str, tuple[str, ...]] | None = None
        self._with_courses: frozenset[str] = frozenset()

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return self._control.url

    def account(
        self,
        id: str | None = None,  # noqa: A002 -- the control API's word
        vendors: Mapping[str, Any] | None = None,
        test: str | None = None,
        *,
        seed: int | None = None,
    ) -> Account:
        """A fresh account; what ``vendors`` gives wins, the rest is made up. Its calls count for ``test``.

        With ``seed``, for snapshot tests, what is made up and the ids and times in its answers are the same each time:
        its clock stands at 2030-01-01T00:00:00Z until it is set. One account at a time can have a seed.
        """
        return Account(self.make(id, vendors, test, seed=seed))

    def make(
        self,
        id: str | None = None,  # noqa: A002 -- the control API's word
        vendors: Mapping[str, Any] | None = None,
        test: str | None = None,
        *,
        seed: int | None = None,
    ) -> Made:
        """What ``account`` is built from, for a class of its own."""
        given = {"id": id, "vendors": vendors, "test": test, "seed": seed}
        if vendors is not None:
            json_value("vendors", mapping("vendors", vendors, 'as in {"<vendor>": {"api_key": "..."}}'))
        operations = self._known_operations()
        shape = self._control.post("accounts", {name: value for name, value in given.items() if value is not None})
        journal = AccountCalls(self._control, shape["id"], with_courses=self._with_courses)
        return Made(journal, shape, operations, self._before_delete)

    def coverage(self, account: str | None = None) -> dict[str, Any]:
        """What an account (None: all that ever were) has met of the contracts, as ``GET /_mock/coverage``."""
        document: dict[str, Any] = self._control.get("coverage", account=account)
        return document

    def intercept(self, *, env: bool = False) -> Interception:
        """Lead this process here by the vendors' own addresses, as ``Account.intercept``, until it is stopped."""
        return Interception(self._control, env=env)

    def _known_operations(self) -> Mapping[str, tuple[str, ...]]:
        """Names by vendor, of callbacks too; further spellings of an operation are not its names."""
        if self._operations is None:
            found: dict[str, dict[str, None]] = {}
            with_courses: set[str] = set()
            for contract in self._control.get("contracts")["contracts"]:
                every = [*contract["operations"], *contract["callbacks"]]
                found[contract["vendor"]] = dict.fromkeys(one["id"].partition(".")[2] for one in every)
                with_courses |= {one["id"] for one in contract["operations"] if one["courses"]}
            self._with_courses = frozenset(with_courses)
            self._operations = {vendor: tuple(names) for vendor, names in found.items()}
        return self._operations

    def __repr__(self) -> str:
        return f"<MockServer {self.url}>"


Folder = str | PathLike[str]
Folders = Folder | Iterable[Folder]


class RunSettings(TypedDict, total=False):
    """The settings of ``mockserver serve`` beside its folders. Sizes are bytes, times seconds."""

    builtin: bool
    accounts: Folder | None
    host: str
    port: int
    public_url: str | None
    admin_token: str | None
    explain: bool
    log: Literal["text", "json", "off"]
    max_accounts: int
    max_connections: int
    max_journal_calls: int
    max_journal_bytes: int
    max_body: int
    max_head: int
    idle_timeout: int
    request_timeout: int
    drain: int
    allow_origin: tuple[str, ...]
    let_through: tuple[str, ...]
    tls_files: Folder | None
    callback_hosts: tuple[str, ...]
    course_pace: float
    store: Folder


@contextmanager
def run(*, contracts: Folders = (), fixtures: Folders = (), **settings: Unpack[RunSettings]) -> Iterator[MockServer]:
    """A server on a free port, ready on entry, gone on exit.

    ``contracts`` and ``fixtures`` are folders beside the built-in ones; ``settings`` are those of
    ``mockserver serve`` (``builtin=False``, ``accounts=FILE``, …). Raises ContractErrors and ListenError, and
    ControlError in a process whose threads are none.
    """
    _require_threads()
    from mockserver.server.application import create_app  # noqa: PLC0415 -- only a server of one's own needs the server
    from mockserver.server.server_thread import serving  # noqa: PLC0415
    from mockserver.server.sockets import listen  # noqa: PLC0415

    chosen = _settings(_paths(contracts), _paths(fixtures), settings)
    app = create_app(chosen)
    with serving(app, listen(chosen.host, chosen.port)) as url:
        yield MockServer(url, chosen.admin_token)


def _require_threads() -> None:
    """A greenlet in place of a thread would never give the tests their turn again. Raises ControlError."""
    maker = _thread.start_new_thread.__module__
    if maker != "_thread":
        raise ControlError(
            f"{maker.partition('.')[0]} has replaced the threads of this process, so no server can run in it: "
            "run `mockserver serve` apart, and use MockServer(url) or pytest --mockserver-url=URL"
        )


def _settings(contracts: tuple[Path, ...], fixtures: tuple[Path, ...], arguments: Mapping[str, Any]) -> "Settings":
    from mockserver.server.settings import RENAMED, Settings  # noqa: PLC0415 -- as in run()

    known = [setting.name for setting in fields(Settings)]
    unknown = [name for name in arguments if name not in known]
    if unknown and unknown[0] in RENAMED:
        raise TypeError(f"the setting {unknown[0]} is now {RENAMED[unknown[0]]}")
    if unknown:
        hint = nearest_hint(unknown[0], known)
        raise TypeError(f"{', '.join(unknown)} is no setting of a server; known: {', '.join(known)}{hint}")
    paths = {
        name: Path(arguments[name])
        for name in ("accounts", "tls_files")
        if isinstance(arguments.get(name), str | PathLike)
    }
    arguments = {**arguments, **paths}
    if isinstance(arguments.get("store"), PathLike):
        arguments["store"] = fspath(arguments["store"])
    chosen = Settings(**{"contracts": contracts, "fixtures": fixtures, "port": 0, **arguments})
    if chosen.admin_token is None and not chosen.is_loopback:
        return replace(chosen, admin_token=secrets.token_urlsafe(24))
    return chosen


def _paths(folders: Folders) -> tuple[Path, ...]:
    if isinstance(folders, str | PathLike):
        return (Path(fspath(folders)),)
    return tuple(Path(folder) for folder in folders)
