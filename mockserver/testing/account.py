"""A customer of the vendors as a test sees it: the account, its vendors, their operations."""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mockserver.spec.account_values import file_texts
from mockserver.spec.reach import EVERYTHING, vendor_reach
from mockserver.testing.account_path import VENDOR_PARTS, value_below, variable_text, vendor_of
from mockserver.testing.arguments import moment, typed, whole
from mockserver.testing.arguments import seconds as in_seconds
from mockserver.testing.arguments import variables as checked_variables
from mockserver.testing.assertions import Assertions
from mockserver.testing.call import Call
from mockserver.testing.callbacks import Callbacks
from mockserver.testing.calls import AccountCalls, Calls
from mockserver.testing.client import ControlError, segment
from mockserver.testing.files import write_files
from mockserver.testing.intercept import Interception
from mockserver.testing.messages import Direction, Inbox, Messages, MessageState, find_messages
from mockserver.testing.names import Public, Values, nearest_hint
from mockserver.testing.pin import Pinnable, note_unused, unused_pins


class Operation(Assertions, Pinnable):
    """An operation of a vendor: its calls, and the answers that are pinned to it. ``id`` is ``vendor.operation``.

    A callback is one, too: its calls are the attempts at it, accepted where the receiver answered 2xx, and it takes
    faults only.
    """

    def __init__(self, journal: AccountCalls, operation_id: str) -> None:
        super().__init__(journal, {"operation": operation_id})
        self.id = self._reach = operation_id

    def reset(self) -> None:
        """Forget its calls and remove its pins."""
        note_unused(self._journal, self._reach)
        self._journal.keep(**self._scope)
        self._journal.forget(self._reach)

    def __repr__(self) -> str:
        return f"<Operation {self.id} of account {self._journal.account}>"


class Vendor(Assertions, Pinnable):
    """A vendor as an account sees it: where it is, and what the account owns there.

    Its assertions are about the calls of all its operations, and its pins are for all of them.

    Each operation is an attribute, as is each callback. If another attribute has its name, it is in ``operations``.
    """

    def __init__(self, journal: AccountCalls, name: str, data: Mapping[str, Any], operations: Iterable[str]) -> None:
        super().__init__(journal, {"vendor": name})
        self.name = name
        self.url: str = data["url"]
        self.unreachable_url: str = data["unreachable_url"]  # refuses every connection
        self.credentials: Mapping[str, Any] = Values(data["credentials"], f"{name}.credentials")
        self.owned: Mapping[str, Any] = Values(data["owned"], f"{name}.owned")
        self.operations = {operation: Operation(journal, f"{name}.{operation}") for operation in operations}
        self._reach = vendor_reach(name)

    @property
    def tokens(self) -> Mapping[str, str]:
        """Freshly signed tokens as a client sends them. They expire, so read them anew for each use."""
        shape = self._journal.control.get(f"accounts/{segment(self._journal.account)}")
        return Values(shape["vendors"][self.name]["tokens"], f"{self.name}.tokens")

    def reset(self) -> None:
        """Forget the calls of all its operations and remove their pins."""
        note_unused(self._journal, self._reach)
        self._journal.keep(**self._scope)
        self._journal.forget(self._reach)

    def write_files(self, folder: str | os.PathLike[str]) -> dict[str, Path]:
        """Write the files that the vendor hands out, as ``folder/<vendor>/<file>``; returns their paths by file name.

        They hold keys, so only their owner may read them (mode 0600). Raises OSError, and LookupError if the vendor
        hands out none.
        """
        document = self._journal.control.get(f"contracts/{segment(self.name)}")
        files = document["x-mock"].get("files")
        if not files:
            raise LookupError(f"{self.name} hands out no files; its values are in credentials, owned and tokens")
        return write_files(Path(folder, self.name), file_texts(files, {**self.credentials, **self.owned}))

    def get(self, path: str) -> Any:
        """A value by its dotted path: ``url``, ``credentials.api_key``, ``owned.connectors.0.id``.

        Raises LookupError, which names what there is.
        """
        return value_below(self.name, _dotted(path), lambda part: getattr(self, part))

    def __getattr__(self, name: str) -> Operation:
        operations: dict[str, Operation] = self.__dict__.get("operations", {})
        if name in operations:
            return operations[name]
        raise AttributeError(unknown_operation(self, name, operations))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.operations})

    def __repr__(self) -> str:
        return f"<Vendor {self.name} of account {self._journal.account}>"


def unknown_operation(vendor: Any, name: str, operations: Iterable[str]) -> str:
    """The message for an attribute that a vendor, of either side, does not have."""
    words = f"operations: {', '.join(operations)}; values: {', '.join(VENDOR_PARTS)}"
    return f"{vendor.__dict__.get('name')} has no {name!r}; {words}{_hint(vendor, name)}"


def unknown_vendor(account: Any, name: str, vendors: Iterable[str]) -> str:
    """The message for an attribute that an account, of either side, does not have."""
    return f"an account has no {name!r}; its vendors: {', '.join(vendors)}{_hint(account, name)}"


def _hint(of: Any, name: str) -> str:
    return "" if name.startswith("_") or not of.__dict__ else nearest_hint(name, dir(of))


def _dotted(path: str) -> str:
    if not isinstance(path, str):
        raise TypeError(f"a path must be text, as in '<vendor>.credentials.api_key', not {typed(path)}")
    return path


@dataclass(frozen=True)
class Made(Public):
    """An account as the server returned it.

    ``operations`` are by vendor. ``before_delete`` is called with the account's id.
    """

    journal: AccountCalls
    shape: Mapping[str, Any]
    operations: Mapping[str, tuple[str, ...]]
    before_delete: Callable[[str], None] | None = None


class Account(Assertions, Pinnable):
    """A customer of every vendor, with calls, pins, limits and a clock of its own.

    Its assertions are about the calls to all vendors, and its pins for all operations. As a context manager it is
    deleted at the end of the ``with`` block. Each vendor is an attribute. If another attribute has its name, it is in
    ``vendors``.
    """

    def __init__(self, made: Made) -> None:
        super().__init__(made.journal, {"direction": "in"})
        self._reach = EVERYTHING
        self.id: str = made.shape["id"]
        self.vendors = {
            name: Vendor(made.journal, name, data, made.operations.get(name, ()))
            for name, data in made.shape["vendors"].items()
        }
        self._before_delete = made.before_delete
        self._interceptions: list[Interception] = []
        self._path = f"accounts/{segment(self.id)}"

    def reset(self) -> None:
        """Forget its calls, pins, limits and clock. Its credentials stay."""
        note_unused(self._journal, self._reach)
        self._journal.keep()
        self._journal.control.post(f"{self._path}/reset")

    def advance(self, seconds: float) -> None:
        """Move its clock forward by so many seconds. Tokens, rate limits and times in answers follow."""
        self._journal.control.post(f"{self._path}/clock", {"advance": in_seconds("seconds", seconds)})

    def freeze(self, at: str | datetime | None = None) -> None:
        """Stop its clock, now or at a datetime or ISO 8601 text; without a zone it is UTC."""
        self._journal.control.post(f"{self._path}/clock", {"freeze": True if at is None else moment("at", at)})

    def unfreeze(self) -> None:
        """Let its clock go on from the time at which it was stopped."""
        self._journal.control.post(f"{self._path}/clock", {"freeze": False})

    def limit(self, name: str, requests: int | None = None, seconds: float | None = None) -> None:
        """Switch on the documented rate limit of a vendor or operation, with other figures if there are any here."""
        changed: dict[str, float] = {}
        if requests is not None:
            changed["requests"] = whole("requests", requests)
        if seconds is not None:
            changed["seconds"] = in_seconds("seconds", seconds)
        self._journal.control.put(f"{self._path}/limits", {name: changed or True})

    def unlimit(self, name: str) -> None:
        """Switch a rate limit off."""
        self._journal.control.put(f"{self._path}/limits", {name: False})

    def intercept(self, *, env: bool = False) -> Interception:
        """Lead this process to the server by the vendors' own addresses, until the ``with`` block or the account ends.

        Clients and sessions made before are caught, too. ``env``: also the programs that this process starts, by the
        variables of ``mockserver run``. Raises ControlError.
        """
        interception = Interception(self._journal.control, env=env)
        self._interceptions.append(interception)
        return interception

    @property
    def limits(self) -> list[Mapping[str, Any]]:
        """What is left of each limit: ``[{operation, by, requests, seconds, remaining, wait}]``."""
        limits: list[Mapping[str, Any]] = self._journal.control.get(self._path)["limits"]
        return limits

    def delete(self) -> None:
        """Delete the account, and end what it intercepts. If it is deleted already, nothing happens."""
        while self._interceptions:
            self._interceptions.pop().stop()
        if self._before_delete is not None:
            self._before_delete(self.id)
        if self._journal.is_kept:
            return
        if self._journal.is_watched:
            with suppress(ControlError):  # it is deleted already
                note_unused(self._journal, self._reach)
                self._journal.keep()
        try:
            self._journal.control.delete(self._path)
        except ControlError as error:
            if error.status != 404:
                raise

    def get(self, path: str) -> Any:
        """A value by its dotted path, which begins with the vendor: ``<vendor>.owned.connectors.0.id``.

        Raises LookupError, which names what there is.
        """
        vendor, rest = vendor_of(_dotted(path), self.vendors)
        return self.vendors[vendor].get(rest)

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Environment variables from the dotted paths of their values. What is not text becomes JSON.

        Raises LookupError.
        """
        return {name: variable_text(self.get(path)) for name, path in checked_variables(variables).items()}

    @property
    def callbacks(self) -> Callbacks:
        """What its vendors call, and what they are to call."""
        return Callbacks(self._journal)

    def inbox(self, number: str) -> Inbox:
        """The phone of a subscriber with this number."""
        return Inbox(self._journal, number)

    def messages(  # noqa: PLR0913 -- the control API's own parts
        self,
        *,
        recipient: str | None = None,
        vendor: str | None = None,
        direction: Direction | None = None,
        state: MessageState | None = None,
        contains: str | None = None,
        since: str | datetime | None = None,
        within: float = 0,
    ) -> Messages:
        """The messages of both directions over all vendors that fit, oldest first.

        Waits up to ``within`` seconds for the first one.
        """
        filters: dict[str, Any] = {"recipient": recipient, "vendor": vendor, "direction": direction, "state": state}
        return find_messages(self._journal, contains=contains, since=since, within=within, **filters)

    def recorded_calls(self) -> Calls:
        """All calls of both directions, oldest first. Unlike those of ``calls``, they do not count as read."""
        return self._journal.all()

    def unused_pins(self) -> list[str]:
        """A line for each pin that calls have not used up: where it was made, what it fixes, why it was not used."""
        return unused_pins(self._journal)

    def has_seen(self, call: Call) -> bool:
        """Whether a passed assertion matched this call, or the test has read it."""
        return call.id in self._journal.seen

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.delete()

    def __getattr__(self, name: str) -> Vendor:
        vendors: dict[str, Vendor] = self.__dict__.get("vendors", {})
        if name in vendors:
            return vendors[name]
        raise AttributeError(unknown_vendor(self, name, vendors))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.vendors})

    def __repr__(self) -> str:
        return f"<Account {self.id}>"
