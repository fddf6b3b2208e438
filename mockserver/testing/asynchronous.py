"""Accounts and assertions for tests in an event loop. Whatever asks the server is awaited and runs in a thread."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Generator, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Generic, Literal, Never, Self, TypeVar, Unpack

from mockserver.testing.account import Account, Operation, Vendor, unknown
from mockserver.testing.assertions import Assertions
from mockserver.testing.call import Call
from mockserver.testing.fault import FaultDict
from mockserver.testing.pin import Pin, Pinnable, caller, made_at
from mockserver.testing.server import MockServer
from mockserver.testing.verification import Verification
from mockserver.testing.where import Where

T = TypeVar("T")


class Opening(Generic[T]):
    """Something to open: ``await`` it to keep it open, or use ``async with``, which closes it at the end."""

    def __init__(self, start: Callable[[], T], stop: Callable[[], None] | None = None) -> None:
        self._start = start
        self._stop = stop

    def __await__(self) -> Generator[Any, None, T]:
        return to_thread(self._start).__await__()

    async def __aenter__(self) -> T:
        return await self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stop is not None:
            await to_thread(self._stop)


class AsyncAssertions:
    """The assertions of ``Assertions``, to be awaited."""

    def __init__(self, sync: Assertions) -> None:
        self._sync = sync

    @property
    def calls(self) -> Awaitable[list[Call]]:
        """All calls, oldest first: ``await operation.calls``."""
        return to_thread(lambda: self._sync.calls)

    async def assert_accepted(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> list[Call]:
        """The vendor accepted calls: exactly ``times``, or at least one. Returns them, oldest first."""
        __tracebackhide__ = True
        return await to_thread(self._sync.assert_accepted, times=times, within=within, settle=settle, **where)

    async def assert_called(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> list[Call]:
        """There were calls, accepted or refused: exactly ``times``, or at least one. Returns them, oldest first."""
        __tracebackhide__ = True
        return await to_thread(self._sync.assert_called, times=times, within=within, settle=settle, **where)

    async def assert_called_once(self, *, within: float = 0, settle: float = 0, **where: Unpack[Where]) -> Call:
        """There was exactly one call. Returns it."""
        __tracebackhide__ = True
        return await to_thread(self._sync.assert_called_once, within=within, settle=settle, **where)

    async def assert_not_called(self, *, settle: float = 0, **where: Unpack[Where]) -> None:
        """There was no call, and none comes within ``settle`` seconds."""
        __tracebackhide__ = True
        await to_thread(self._sync.assert_not_called, settle=settle, **where)

    async def verify(  # noqa: PLR0913 -- the control API's own parts
        self,
        *,
        at_least: int | None = None,
        at_most: int | None = None,
        accepted: bool | None = None,
        since: str | None = None,
        within: float = 0,
        settle: float = 0,
        **where: Unpack[Where],
    ) -> Verification:
        """The verdict as data; it never raises AssertionError."""
        bounds = {"at_least": at_least, "at_most": at_most, "accepted": accepted, "since": since}
        return await to_thread(lambda: self._sync.verify(**bounds, within=within, settle=settle, **where))  # type: ignore[arg-type]


class AsyncPin:
    """Fixed answers, as ``Pin``. ``async with`` removes it, and no other pin, at the end."""

    def __init__(self, sync: Pin) -> None:
        self._pin = sync
        self.id, self.data = sync.id, sync.data

    @property
    def used(self) -> Awaitable[int]:
        """How many requests it has answered, or hit with its fault: ``await pin.used``."""
        return to_thread(lambda: self._pin.used)

    async def remove(self) -> None:
        """Remove this pin. If it is used up or removed already, nothing happens."""
        await to_thread(self._pin.remove)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await to_thread(self._pin.__exit__, kind, error, trace)

    def __enter__(self) -> Never:
        raise TypeError(_USE_ASYNC_WITH)

    def __exit__(self, *_error: object) -> None:
        """Nothing was entered."""

    def __repr__(self) -> str:
        return repr(self._pin)


_USE_ASYNC_WITH = "an async pin would block the event loop in a plain `with`; use `async with`"


class PinOpening:
    """A pin to be made: ``await`` it to keep it, or use ``async with``, which removes it at the end."""

    def __init__(self, start: Callable[[], Pin]) -> None:
        self._start = start
        self._pin: AsyncPin | None = None

    def __await__(self) -> Generator[Any, None, AsyncPin]:
        self._pin = AsyncPin((yield from to_thread(self._start).__await__()))
        return self._pin

    async def __aenter__(self) -> AsyncPin:
        return await self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pin is not None:
            await self._pin.__aexit__(kind, error, trace)

    def __enter__(self) -> Never:
        raise TypeError(_USE_ASYNC_WITH)

    def __exit__(self, *_error: object) -> None:
        """Nothing was entered."""


class AsyncPinnable:
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
        fault: FaultDict | Mapping[str, Any] | None = None,
        replace: bool = False,
        **unknown: Never,
    ) -> PinOpening:
        """Fix the next answers, as ``Pinnable.pin`` does. Await it, or use ``async with``."""
        options: dict[str, Any] = {"then": then, "where": where, "when": when, "changes": changes, "force": force}
        make = partial(self._pinnable.pin, *answers, **options, fault=fault, replace=replace, **unknown)
        return PinOpening(partial(made_at, caller(), make))

    async def unpin(self) -> None:
        """Remove all pins that were made here, or for one of the operations here: the contract's rules answer again."""
        await to_thread(self._pinnable.unpin)


class AsyncOperation(AsyncAssertions, AsyncPinnable):
    """An operation of a vendor, as ``Operation``."""

    def __init__(self, sync: Operation) -> None:
        super().__init__(sync)
        self._operation = self._pinnable = sync
        self.id = sync.id

    async def reset(self) -> None:
        """Remove the pins. Calls are forgotten by the account's ``reset``."""
        await to_thread(self._operation.reset)

    def __repr__(self) -> str:
        return repr(self._operation)


class AsyncVendor(AsyncPinnable):
    """A vendor as an account sees it, as ``Vendor``. Each operation is an attribute, and in ``operations``."""

    def __init__(self, sync: Vendor) -> None:
        self._vendor = self._pinnable = sync
        self.name, self.url, self.unreachable_url = sync.name, sync.url, sync.unreachable_url
        self.credentials, self.owned = sync.credentials, sync.owned
        self.operations = {name: AsyncOperation(operation) for name, operation in sync.operations.items()}

    @property
    def tokens(self) -> Awaitable[Mapping[str, str]]:
        """Freshly signed tokens as a client sends them: ``await vendor.tokens``."""
        return to_thread(lambda: self._vendor.tokens)

    async def get(self, path: str) -> Any:
        """A value by its dotted path, as ``Vendor.get``."""
        return await to_thread(self._vendor.get, path)

    def __getattr__(self, name: str) -> AsyncOperation:
        operations: dict[str, AsyncOperation] = self.__dict__.get("operations", {})
        if name in operations:
            return operations[name]
        raise AttributeError(unknown(self.__dict__.get("name"), name, operations))

    def __repr__(self) -> str:
        return repr(self._vendor)


class AsyncAccount(AsyncAssertions, AsyncPinnable):
    """A customer of every vendor, as ``Account``. Each vendor is an attribute, and in ``vendors``."""

    def __init__(self, sync: Account) -> None:
        super().__init__(sync)
        self._account = self._pinnable = sync
        self.id = sync.id
        self.vendors = {name: AsyncVendor(vendor) for name, vendor in sync.vendors.items()}

    async def reset(self) -> None:
        """Forget its calls, pins, limits and clock. Its credentials stay."""
        await to_thread(self._account.reset)

    async def advance(self, seconds: float) -> None:
        """Move its clock forward by so many seconds."""
        await to_thread(self._account.advance, seconds)

    async def freeze(self, at: str | None = None) -> None:
        """Stop its clock, now or at a time (ISO 8601)."""
        await to_thread(self._account.freeze, at)

    async def unfreeze(self) -> None:
        """Let its clock go on from the time at which it was stopped."""
        await to_thread(self._account.unfreeze)

    async def limit(self, name: str, requests: int | None = None, seconds: float | None = None) -> None:
        """Switch a documented rate limit on, as ``Account.limit`` does."""
        await to_thread(self._account.limit, name, requests, seconds)

    async def unlimit(self, name: str) -> None:
        """Switch a rate limit off."""
        await to_thread(self._account.unlimit, name)

    @property
    def limits(self) -> Awaitable[list[Mapping[str, Any]]]:
        """What is left of its rate limits: ``await account.limits``."""
        return to_thread(lambda: self._account.limits)

    async def unused_pins(self) -> list[str]:
        """A line for each pin that no call has used, as ``Account.unused_pins``."""
        return await to_thread(self._account.unused_pins)

    async def delete(self) -> None:
        """Delete the account. If it is deleted already, nothing happens."""
        await to_thread(self._account.delete)

    async def get(self, path: str) -> Any:
        """A value by its dotted path, as ``Account.get``."""
        return await to_thread(self._account.get, path)

    def __getattr__(self, name: str) -> AsyncVendor:
        vendors: dict[str, AsyncVendor] = self.__dict__.get("vendors", {})
        if name in vendors:
            return vendors[name]
        raise AttributeError(f"an account has no {name!r}; its vendors: {', '.join(vendors)}")

    def __repr__(self) -> str:
        return repr(self._account)


class AsyncMockServer:
    """A running mockserver whose accounts are awaited. Its arguments are those of ``MockServer``."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self._server = MockServer(url, token)

    @property
    def url(self) -> str:
        """The server's address without the last slash."""
        return self._server.url

    def account(
        self,
        id: str | None = None,  # noqa: A002 -- the control API's word
        vendors: Mapping[str, Any] | None = None,
        test: str | None = None,
        *,
        seed: int | None = None,
    ) -> Opening[AsyncAccount]:
        """A new account, to be awaited; ``async with`` deletes it at the end."""
        accounts: list[Account] = []

        def start() -> AsyncAccount:
            accounts.append(self._server.account(id, vendors, test, seed=seed))
            return AsyncAccount(accounts[-1])

        return Opening(start, lambda: accounts.pop().delete())

    async def coverage(self, account: str | None = None) -> dict[str, Any]:
        """What an account has met of the contracts; with None all accounts, deleted ones included."""
        return await to_thread(self._server.coverage, account)

    def __repr__(self) -> str:
        return f"<AsyncMockServer {self.url}>"
