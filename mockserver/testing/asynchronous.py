"""The same for tests that run in an event loop: what asks the server is awaited, in a thread of asyncio's."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Generator, Mapping
from types import TracebackType
from typing import Any, Generic, Literal, TypeVar, Unpack

from mockserver.testing.account import Account, Operation, Pin, Vendor, unknown
from mockserver.testing.assertions import Assertions
from mockserver.testing.call import Call
from mockserver.testing.server import MockServer
from mockserver.testing.verification import Verification
from mockserver.testing.where import Where

T = TypeVar("T")


class Opening(Generic[T]):
    """``await`` it for what is opened, or open it by ``async with``, which takes it back at its end."""

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
    """Assertions to be awaited."""

    def __init__(self, sync: Assertions) -> None:
        self._sync = sync

    @property
    def calls(self) -> Awaitable[list[Call]]:
        """All calls, oldest first: ``await operation.calls``."""
        return to_thread(lambda: self._sync.calls)

    async def assert_accepted(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> list[Call]:
        """The vendor said yes: this often, or at least once. Returns those calls, oldest first."""
        __tracebackhide__ = True
        return await to_thread(self._sync.assert_accepted, times=times, within=within, settle=settle, **where)

    async def assert_called(
        self, *, times: int | None = None, within: float = 0, settle: float = 0, **where: Unpack[Where]
    ) -> list[Call]:
        """It was called, whatever the vendor said. Returns those calls, oldest first."""
        __tracebackhide__ = True
        return await to_thread(self._sync.assert_called, times=times, within=within, settle=settle, **where)

    async def assert_called_once(self, *, within: float = 0, settle: float = 0, **where: Unpack[Where]) -> Call:
        """It was called exactly once. Returns that call."""
        __tracebackhide__ = True
        return await to_thread(self._sync.assert_called_once, within=within, settle=settle, **where)

    async def assert_not_called(self, *, settle: float = 0, **where: Unpack[Where]) -> None:
        """It was not called, nor will be for ``settle`` seconds."""
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
        """The verdict as data, nothing raised."""
        bounds = {"at_least": at_least, "at_most": at_most, "accepted": accepted, "since": since}
        return await to_thread(lambda: self._sync.verify(**bounds, within=within, settle=settle, **where))  # type: ignore[arg-type]


class AsyncOperation(AsyncAssertions):
    """One operation of a vendor, for one account."""

    def __init__(self, sync: Operation) -> None:
        super().__init__(sync)
        self._operation = sync
        self.id = sync.id

    def pin(  # noqa: PLR0913 -- the control API's own parts
        self,
        *answers: str | Mapping[str, Any],
        then: Literal["rules", "last"] = "rules",
        where: Mapping[str, Any] | None = None,
        when: Mapping[str, Any] | None = None,
        set: Mapping[str, Any] | None = None,  # noqa: A002 -- the control API's word
        force: bool = False,
        fault: Mapping[str, Any] | None = None,
    ) -> Opening[Pin]:
        """Fix the next answers, as ``Operation.pin``; ``async with`` gives the operation back at its end."""

        def start() -> Pin:
            return self._operation.pin(*answers, then=then, where=where, when=when, set=set, force=force, fault=fault)

        return Opening(start, self._operation.unpin)

    async def unpin(self) -> None:
        """Give the operation back to the contract's rules."""
        await to_thread(self._operation.unpin)

    async def reset(self) -> None:
        """Forget its pins; calls are forgotten by the account's ``reset``."""
        await to_thread(self._operation.reset)

    def __repr__(self) -> str:
        return repr(self._operation)


class AsyncVendor:
    """Each operation is an attribute too; one whose name is taken here is reached by ``operations``."""

    def __init__(self, sync: Vendor) -> None:
        self._vendor = sync
        self.name, self.url, self.unreachable_url = sync.name, sync.url, sync.unreachable_url
        self.credentials, self.owned = sync.credentials, sync.owned
        self.operations = {name: AsyncOperation(operation) for name, operation in sync.operations.items()}

    @property
    def tokens(self) -> Awaitable[Mapping[str, str]]:
        """Values ready to be sent, freshly signed: ``await vendor.tokens``."""
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


class AsyncAccount(AsyncAssertions):
    """Each vendor is an attribute too. Its assertions are about all vendors' calls."""

    def __init__(self, sync: Account) -> None:
        super().__init__(sync)
        self._account = sync
        self.id = sync.id
        self.vendors = {name: AsyncVendor(vendor) for name, vendor in sync.vendors.items()}

    async def reset(self) -> None:
        """Forget its calls and pins; its credentials stay."""
        await to_thread(self._account.reset)

    async def advance(self, seconds: float) -> None:
        """Put its clock so many seconds on."""
        await to_thread(self._account.advance, seconds)

    async def freeze(self, at: str | None = None) -> None:
        """Stop its clock, now or at a time (ISO 8601)."""
        await to_thread(self._account.freeze, at)

    async def unfreeze(self) -> None:
        """Let its clock go on."""
        await to_thread(self._account.unfreeze)

    async def limit(self, name: str, requests: int | None = None, seconds: float | None = None) -> None:
        """Switch a documented rate limit on, as ``Account.limit``."""
        await to_thread(self._account.limit, name, requests, seconds)

    async def unlimit(self, name: str) -> None:
        """Switch a rate limit off."""
        await to_thread(self._account.unlimit, name)

    @property
    def limits(self) -> Awaitable[list[Mapping[str, Any]]]:
        """What is left of its rate limits: ``await account.limits``."""
        return to_thread(lambda: self._account.limits)

    async def delete(self) -> None:
        """Forget the account."""
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
    """A running mockserver, its accounts' waits awaited. Arguments as those of ``MockServer``."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self._server = MockServer(url, token)

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
        """A fresh account, to be awaited; ``async with`` deletes it at its end."""
        made: list[Account] = []

        def start() -> AsyncAccount:
            made.append(self._server.account(id, vendors, test, seed=seed))
            return AsyncAccount(made[-1])

        return Opening(start, lambda: made.pop().delete())

    async def coverage(self, account: str | None = None) -> dict[str, Any]:
        """What an account (None: all that ever were) has met of the contracts."""
        return await to_thread(self._server.coverage, account)

    def __repr__(self) -> str:
        return f"<AsyncMockServer {self.url}>"
