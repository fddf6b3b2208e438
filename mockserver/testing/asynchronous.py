"""Accounts and assertions for tests in an event loop. Whatever asks the server is awaited and runs in a thread."""

import os
import re
from asyncio import get_running_loop, run_coroutine_threadsafe
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Never, NoReturn, Self, TypeVar, Unpack

from mockserver.testing.account import Account, Made, Operation, Vendor, unknown_operation, unknown_vendor
from mockserver.testing.assertions import Assertions
from mockserver.testing.awaited import Opening, Pending
from mockserver.testing.call import Call
from mockserver.testing.callbacks import CallbackReply, CallbackRequest, Callbacks, replies_of
from mockserver.testing.calls import Calls, Unawaited
from mockserver.testing.fault import FaultDict
from mockserver.testing.in_process import Run
from mockserver.testing.intercept import Interception
from mockserver.testing.messages import Direction, Inbox, Messages, MessageState, SmsMessage
from mockserver.testing.names import Public
from mockserver.testing.pin import Pin, Pinnable
from mockserver.testing.server import MockServer
from mockserver.testing.verification import Verification
from mockserver.testing.where import Where

T = TypeVar("T")


class _Asking(Public):
    """Makes what is to be awaited. ``_label`` is what stands behind the account's name: ``.<vendor>.<operation>``."""

    _unawaited: Unawaited
    _label: str = ""

    def _pending(self, name: str, ask: Callable[[], T]) -> Pending[T]:
        return Pending(f"{self._unawaited.owner}{self._label}.{name}", ask, self._unawaited)


class AsyncAssertions(_Asking):
    """The assertions of ``Assertions``, to be awaited."""

    def __init__(self, sync: Assertions, unawaited: Unawaited, label: str) -> None:
        self._sync = sync
        self._unawaited = unawaited
        self._label = label

    @property
    def calls(self) -> Pending[Calls]:
        """All calls, oldest first: ``await operation.calls``. They count as read."""
        return self._pending("calls", lambda: self._sync.calls)

    @property
    def call_count(self) -> Pending[int]:
        """How many calls are recorded: ``await operation.call_count``."""
        return self._pending("call_count", lambda: self._sync.call_count)

    @property
    def called(self) -> Pending[bool]:
        """Whether a call is recorded: ``await operation.called``."""
        return self._pending("called", lambda: self._sync.called)

    def assert_accepted(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> Pending[Calls]:
        """The vendor accepted calls: exactly ``times``, or at least one. Returns them, oldest first."""
        ask = partial(self._sync.assert_accepted, times=times, within=within, settle=settle, **where)
        return self._pending("assert_accepted(...)", ask)

    def assert_accepted_once(self, *, within: float = 0, settle: float = 0, **where: Unpack[Where]) -> Pending[Call]:
        """The vendor accepted exactly one call. Returns it."""
        ask = partial(self._sync.assert_accepted_once, within=within, settle=settle, **where)
        return self._pending("assert_accepted_once(...)", ask)

    def assert_refused(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> Pending[Calls]:
        """The vendor refused calls: exactly ``times``, or at least one. Returns them, oldest first."""
        ask = partial(self._sync.assert_refused, times=times, within=within, settle=settle, **where)
        return self._pending("assert_refused(...)", ask)

    def assert_called(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> Pending[Calls]:
        """There were calls, accepted or refused: exactly ``times``, or at least one. Returns them, oldest first."""
        ask = partial(self._sync.assert_called, times=times, within=within, settle=settle, **where)
        return self._pending("assert_called(...)", ask)

    def assert_called_once(self, *, within: float = 0, settle: float = 0, **where: Unpack[Where]) -> Pending[Call]:
        """There was exactly one call. Returns it."""
        ask = partial(self._sync.assert_called_once, within=within, settle=settle, **where)
        return self._pending("assert_called_once(...)", ask)

    def assert_not_called(self, *, settle: float = 0, **where: Unpack[Where]) -> Pending[None]:
        """There was no call, and none comes within ``settle`` seconds."""
        return self._pending("assert_not_called(...)", partial(self._sync.assert_not_called, settle=settle, **where))

    def assert_delivered(self, *, recipient: str | None = None, times: int = 1, within: float = 0) -> Pending[Messages]:
        """Exactly so many messages that were sent here have been delivered. Returns them, oldest first."""
        ask = partial(self._sync.assert_delivered, recipient=recipient, times=times, within=within)
        return self._pending("assert_delivered(...)", ask)

    def verify(  # noqa: PLR0913 -- the control API's own parts
        self,
        *,
        at_least: int | None = None,
        at_most: int | None = None,
        accepted: bool | None = None,
        since: str | datetime | None = None,
        within: float = 0,
        settle: float = 0,
        **where: Unpack[Where],
    ) -> Pending[Verification]:
        """The verdict as data, as ``Assertions.verify``; it never raises AssertionError."""
        ask = partial(self._sync.verify, at_least=at_least, at_most=at_most, accepted=accepted, since=since, **where)
        return self._pending("verify(...)", partial(ask, within=within, settle=settle))


class AsyncPin(_Asking):
    """Fixed answers, as ``Pin``. ``async with`` removes it, and no other pin, at the end."""

    def __init__(self, sync: Pin, unawaited: Unawaited, label: str) -> None:
        self._pin = sync
        self._unawaited = unawaited
        self._label = label
        self.id, self.data = sync.id, sync.data

    @property
    def used(self) -> Pending[int]:
        """How many requests it has answered, or hit with its fault: ``await pin.used``."""
        return self._pending("used", lambda: self._pin.used)

    def remove(self) -> Pending[None]:
        """Remove this pin. If it is used up or removed already, nothing happens."""
        return self._pending("remove()", self._pin.remove)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pending("remove()", partial(self._pin.__exit__, kind, error, trace))

    if not TYPE_CHECKING:

        def __enter__(self) -> NoReturn:
            raise TypeError("an async pin would block the event loop in a plain `with`; use `async with`")

        def __exit__(self, *_error: object) -> None:
            """Nothing was entered."""

    def __repr__(self) -> str:
        return repr(self._pin)


class AsyncPinnable(_Asking):
    """What answers can be fixed for, as ``Pinnable``."""

    _pinnable: Pinnable

    def pin(  # noqa: PLR0913 -- the control API's own parts
        self,
        *answers: str | Mapping[str, Any],
        then: Literal["rules", "last"] = "rules",
        where: Mapping[str, Any] | None = None,
        when: Mapping[str, Any] | None = None,
        changes: Mapping[str, Any] | None = None,
        force: bool = False,
        course: str | None = None,
        fault: FaultDict | Mapping[str, Any] | None = None,
        replace: bool = False,
        **unknown: Never,
    ) -> Opening[AsyncPin]:
        """Fix the next answers, as ``Pinnable.pin`` does. Await it, or use ``async with``."""
        options: dict[str, Any] = {"then": then, "where": where, "when": when, "changes": changes, "force": force}
        options |= {"course": course, "fault": fault, "replace": replace}
        make = partial(self._pinnable.pin, *answers, **options, **unknown)
        label = f"{self._label}.pin(...)"
        name = f"{self._unawaited.owner}{label}"
        return Opening(name, lambda: AsyncPin(make(), self._unawaited, label), self._unawaited)

    def unpin(self) -> Pending[None]:
        """Remove all pins that were made here, or for one of the operations here: the contract's rules answer again."""
        return self._pending("unpin()", self._pinnable.unpin)


class AsyncInbox(_Asking):
    """The phone of a subscriber, as ``Inbox``."""

    def __init__(self, sync: Inbox, unawaited: Unawaited) -> None:
        self._inbox = sync
        self._unawaited = unawaited
        self._label = f".inbox({sync.number!r})"
        self.number = sync.number

    @property
    def messages(self) -> Pending[Messages]:
        """The messages to and from this phone, oldest first: ``await inbox.messages``."""
        return self._pending("messages", lambda: self._inbox.messages)

    @property
    def code(self) -> Pending[str]:
        """The likeliest one-time code in the latest message to this phone that has one: ``await inbox.code``."""
        return self._pending("code", lambda: self._inbox.code)

    def wait_for(
        self, contains: str | None = None, *, pattern: str | re.Pattern[str] | None = None, within: float = 0
    ) -> Pending[SmsMessage]:
        """The latest message to this phone that fits, as ``Inbox.wait_for``."""
        return self._pending("wait_for(...)", partial(self._inbox.wait_for, contains, pattern=pattern, within=within))

    def reply(self, text: str, *, vendor: str | None = None, to: str | None = None) -> Pending[SmsMessage]:
        """Send a message from this phone, as ``Inbox.reply``."""
        return self._pending("reply(...)", partial(self._inbox.reply, text, vendor=vendor, to=to))

    def __repr__(self) -> str:
        return repr(self._inbox)


class AsyncCallbacks(_Asking):
    """The callbacks of an account, as ``Callbacks``."""

    def __init__(self, sync: Callbacks, unawaited: Unawaited) -> None:
        self._callbacks = sync
        self._unawaited = unawaited
        self._label = ".callbacks"

    @property
    def calls(self) -> Pending[Calls]:
        """All attempts, oldest first: ``await callbacks.calls``. They count as read."""
        return self._pending("calls", lambda: self._callbacks.calls)

    def take(self) -> Pending[list[CallbackRequest]]:
        """The callbacks that were withheld, as ``Callbacks.take``."""
        return self._pending("take()", self._callbacks.take)

    def deliver_to(self, app: Any) -> Pending[list[CallbackReply]]:
        """Give the callbacks that were withheld to an application, an ASGI one in the event loop that awaits this."""
        loop = get_running_loop()
        run: Run = lambda answering: run_coroutine_threadsafe(answering, loop).result()  # noqa: E731 -- to have a type
        return self._pending("deliver_to(...)", lambda: replies_of(app, self._callbacks.take(), run))

    def redeliver(self, call: Call) -> Pending[None]:
        """Send a recorded callback once more, as ``Callbacks.redeliver``."""
        return self._pending("redeliver(...)", partial(self._callbacks.redeliver, call))

    def __repr__(self) -> str:
        return repr(self._callbacks)


class AsyncOperation(AsyncAssertions, AsyncPinnable):
    """An operation of a vendor, as ``Operation``."""

    def __init__(self, sync: Operation, unawaited: Unawaited) -> None:
        super().__init__(sync, unawaited, f".{sync.id}")
        self._operation = self._pinnable = sync
        self.id = sync.id

    def reset(self) -> Pending[None]:
        """Forget its calls and remove its pins."""
        return self._pending("reset()", self._operation.reset)

    def __repr__(self) -> str:
        return repr(self._operation)


class AsyncVendor(AsyncAssertions, AsyncPinnable):
    """A vendor as an account sees it, as ``Vendor``. Each operation is an attribute, and in ``operations``."""

    def __init__(self, sync: Vendor, unawaited: Unawaited) -> None:
        super().__init__(sync, unawaited, f".{sync.name}")
        self._vendor = self._pinnable = sync
        self.name, self.url, self.unreachable_url = sync.name, sync.url, sync.unreachable_url
        self.credentials, self.owned = sync.credentials, sync.owned
        self.operations = {name: AsyncOperation(operation, unawaited) for name, operation in sync.operations.items()}

    @property
    def tokens(self) -> Pending[Mapping[str, str]]:
        """Freshly signed tokens as a client sends them: ``await vendor.tokens``."""
        return self._pending("tokens", lambda: self._vendor.tokens)

    def reset(self) -> Pending[None]:
        """Forget the calls of all its operations and remove their pins."""
        return self._pending("reset()", self._vendor.reset)

    def write_files(self, folder: str | os.PathLike[str]) -> Pending[dict[str, Path]]:
        """Write the files that the vendor hands out, as ``Vendor.write_files``."""
        return self._pending("write_files(...)", partial(self._vendor.write_files, folder))

    def get(self, path: str) -> Pending[Any]:
        """A value by its dotted path, as ``Vendor.get``."""
        return self._pending("get(...)", partial(self._vendor.get, path))

    def __getattr__(self, name: str) -> AsyncOperation:
        operations: dict[str, AsyncOperation] = self.__dict__.get("operations", {})
        if name in operations:
            return operations[name]
        raise AttributeError(unknown_operation(self, name, operations))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.operations})

    def __repr__(self) -> str:
        return repr(self._vendor)


class AsyncAccount(AsyncAssertions, AsyncPinnable):
    """A customer of every vendor, as ``Account``. Each vendor is an attribute, and in ``vendors``.

    ``async with`` deletes it at the end.
    """

    def __init__(self, sync: Account) -> None:
        super().__init__(sync, sync._journal.unawaited, "")  # noqa: SLF001 -- an account of two sides has one journal
        self._account = self._pinnable = sync
        self.id = sync.id
        self.vendors = {name: AsyncVendor(vendor, self._unawaited) for name, vendor in sync.vendors.items()}

    def reset(self) -> Pending[None]:
        """Forget its calls, pins, limits and clock. Its credentials stay."""
        return self._pending("reset()", self._account.reset)

    def advance(self, seconds: float) -> Pending[None]:
        """Move its clock forward by so many seconds."""
        return self._pending("advance(...)", partial(self._account.advance, seconds))

    def freeze(self, at: str | datetime | None = None) -> Pending[None]:
        """Stop its clock, now or at a datetime or ISO 8601 text; without a zone it is UTC."""
        return self._pending("freeze(...)", partial(self._account.freeze, at))

    def unfreeze(self) -> Pending[None]:
        """Let its clock go on from the time at which it was stopped."""
        return self._pending("unfreeze()", self._account.unfreeze)

    def limit(self, name: str, requests: int | None = None, seconds: float | None = None) -> Pending[None]:
        """Switch a documented rate limit on, as ``Account.limit`` does."""
        return self._pending("limit(...)", partial(self._account.limit, name, requests, seconds))

    def unlimit(self, name: str) -> Pending[None]:
        """Switch a rate limit off."""
        return self._pending("unlimit(...)", partial(self._account.unlimit, name))

    def intercept(self, *, env: bool = False) -> Pending[Interception]:
        """Lead this process to the server by the vendors' own addresses, as ``Account.intercept``."""
        return self._pending("intercept(...)", partial(self._account.intercept, env=env))

    @property
    def limits(self) -> Pending[list[Mapping[str, Any]]]:
        """What is left of its rate limits: ``await account.limits``."""
        return self._pending("limits", lambda: self._account.limits)

    def unused_pins(self) -> Pending[list[str]]:
        """A line for each pin that calls have not used up, as ``Account.unused_pins``."""
        return self._pending("unused_pins()", self._account.unused_pins)

    def delete(self) -> Pending[None]:
        """Delete the account. If it is deleted already, nothing happens.

        Raises AssertionError if an assertion, a pin or anything else of it was never awaited, unless the pytest plugin
        looks after that.
        """
        return self._pending("delete()", self._end)

    def get(self, path: str) -> Pending[Any]:
        """A value by its dotted path, as ``Account.get``."""
        return self._pending("get(...)", partial(self._account.get, path))

    def environment(self, variables: Mapping[str, str]) -> Pending[dict[str, str]]:
        """Environment variables from the dotted paths of their values, as ``Account.environment``."""
        return self._pending("environment(...)", partial(self._account.environment, variables))

    @property
    def callbacks(self) -> AsyncCallbacks:
        """What its vendors call, and what they are to call."""
        return AsyncCallbacks(self._account.callbacks, self._unawaited)

    def inbox(self, number: str) -> AsyncInbox:
        """The phone of a subscriber with this number."""
        return AsyncInbox(self._account.inbox(number), self._unawaited)

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
    ) -> Pending[Messages]:
        """The messages of both directions over all vendors that fit, as ``Account.messages``."""
        filters: dict[str, Any] = {"recipient": recipient, "vendor": vendor, "direction": direction, "state": state}
        ask = partial(self._account.messages, contains=contains, since=since, within=within, **filters)
        return self._pending("messages(...)", ask)

    def recorded_calls(self) -> Pending[Calls]:
        """All calls of both directions, oldest first. Unlike those of ``calls``, they do not count as read."""
        return self._pending("recorded_calls()", self._account.recorded_calls)

    def has_seen(self, call: Call) -> bool:
        """Whether a passed assertion matched this call, or the test has read it."""
        return self._account.has_seen(call)

    def _end(self) -> None:
        self._account.delete()
        if self._unawaited.lines and not self._unawaited.is_watched:
            raise AssertionError("\n".join(self._unawaited.lines))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pending("delete()", self._end if error is None else self._account.delete)

    def __getattr__(self, name: str) -> AsyncVendor:
        vendors: dict[str, AsyncVendor] = self.__dict__.get("vendors", {})
        if name in vendors:
            return vendors[name]
        raise AttributeError(unknown_vendor(self, name, vendors))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.vendors})

    def __repr__(self) -> str:
        return repr(self._account)


class AsyncMockServer(_Asking):
    """A running mockserver whose accounts are awaited. Its arguments are those of ``MockServer``."""

    def __init__(
        self, url: str, token: str | None = None, *, before_delete: Callable[[str], None] | None = None
    ) -> None:
        self._server = MockServer(url, token, before_delete=before_delete)
        self._unawaited = Unawaited("server")

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return self._server.url

    def account(
        self,
        id: str | None = None,  # noqa: A002 -- the control API's word
        vendors: Mapping[str, Any] | None = None,
        test: str | None = None,
        *,
        seed: int | None = None,
    ) -> Opening[AsyncAccount]:
        """A fresh account, as ``MockServer.account``, to be awaited; ``async with`` deletes it at the end."""
        make = partial(self._server.account, id, vendors, test, seed=seed)
        return Opening("server.account(...)", lambda: AsyncAccount(make()), self._unawaited)

    def make(
        self,
        id: str | None = None,  # noqa: A002 -- the control API's word
        vendors: Mapping[str, Any] | None = None,
        test: str | None = None,
        *,
        seed: int | None = None,
    ) -> Pending[Made]:
        """What ``account`` is built from, for a class of its own: ``AsyncAccount(Account(made))``."""
        return self._pending("make(...)", partial(self._server.make, id, vendors, test, seed=seed))

    def coverage(self, account: str | None = None) -> Pending[dict[str, Any]]:
        """What an account has met of the contracts; with None all accounts, deleted ones included."""
        return self._pending("coverage(...)", partial(self._server.coverage, account))

    def intercept(self, *, env: bool = False) -> Pending[Interception]:
        """Lead this process here by the vendors' own addresses, as ``Account.intercept``, until it is stopped."""
        return self._pending("intercept(...)", partial(self._server.intercept, env=env))

    def __repr__(self) -> str:
        return f"<AsyncMockServer {self.url}>"
