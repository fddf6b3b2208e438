"""The sync and the async side have the same names and signatures, and nothing of the async side blocks its loop."""

import asyncio
import inspect
from collections.abc import Awaitable, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest

import mockserver.testing
from mockserver.testing import (
    Account,
    AsyncAccount,
    AsyncCallbacks,
    AsyncInbox,
    AsyncMockServer,
    AsyncMockVendors,
    AsyncOperation,
    AsyncPin,
    AsyncVendor,
    Callbacks,
    Inbox,
    MockServer,
    MockVendors,
    Operation,
    Pending,
    Pin,
    Vendor,
)
from mockserver.testing.client import Control, ControlError
from tests.testing.sending import send

SIDES: dict[type, type] = {
    Account: AsyncAccount,
    Callbacks: AsyncCallbacks,
    Inbox: AsyncInbox,
    MockServer: AsyncMockServer,
    MockVendors: AsyncMockVendors,
    Operation: AsyncOperation,
    Pin: AsyncPin,
    Vendor: AsyncVendor,
}
# What answers at once on either side, for it asks no server.
AT_ONCE = {"callbacks", "has_seen", "inbox", "setenv", "url"}
# The rest is wrapped from the sync side: a test makes neither with its class.
MADE_OTHERWISE = set(SIDES.values()) - {AsyncMockServer}


def names(of: type) -> set[str]:
    """The public names of a class, and the protocols that it has."""
    protocols = {"__dir__", "__getattr__", "__repr__"} & {name for kind in of.__mro__[:-1] for name in vars(kind)}
    return {name for name in dir(of) if not name.startswith("_")} | protocols


@pytest.mark.parametrize("sync", SIDES, ids=lambda side: side.__name__)
def test_the_same_names(sync: type) -> None:
    """Methods, properties and completion."""
    assert names(SIDES[sync]) == names(sync)


@pytest.mark.parametrize("sync", SIDES, ids=lambda side: side.__name__)
def test_every_class_with_an_async_side_is_here(sync: type) -> None:
    """A new one must be compared, too."""
    assert SIDES[sync].__name__ == f"Async{sync.__name__}"
    public = {name for name in dir(mockserver.testing) if name.startswith("Async")}
    assert public == {side.__name__ for side in SIDES.values()}


@pytest.mark.parametrize("sync", SIDES, ids=lambda side: side.__name__)
def test_the_same_attributes(sync: type, account: Account) -> None:
    """What is set when one is made."""
    made = {Account: account, Vendor: account.polyai, Operation: account.polyai.send_sms}
    if sync in made:
        both = AsyncAccount(account)
        other = {Account: both, Vendor: both.polyai, Operation: both.polyai.send_sms}
        assert public_attributes(other[sync]) == public_attributes(made[sync])


def public_attributes(of: Any) -> set[str]:
    return {name for name in vars(of) if not name.startswith("_")}


PAIRS = [
    pytest.param(getattr(sync, name), getattr(other, name), name, id=f"{sync.__name__}.{name}")
    for sync, other in SIDES.items()
    for name in sorted(names(sync))
    if not name.startswith("_")
]


@pytest.mark.parametrize(("one", "other", "name"), PAIRS)
def test_the_same_signature(one: Any, other: Any, name: str) -> None:
    """Parameters, kinds, defaults and annotations; the async result is the sync one, to be awaited."""
    if isinstance(one, property):
        assert isinstance(other, property)
        one, other = one.fget, other.fget
    assert [*inspect.signature(one).parameters.values()] == [*inspect.signature(other).parameters.values()]
    assert not inspect.iscoroutinefunction(other)  # its coroutine would not know where it was made
    result, awaited = get_type_hints(one)["return"], get_type_hints(other)["return"]
    if name in AT_ONCE:
        assert awaited == SIDES.get(result, result)
        return
    assert issubclass(getattr(awaited, "__origin__", awaited), Pending)
    (inner,) = get_args(awaited)
    assert (inner or NoneType) == SIDES.get(result, result)


def test_the_server_is_made_alike() -> None:
    """``AsyncMockServer`` takes what ``MockServer`` takes."""
    assert inspect.signature(AsyncMockServer) == inspect.signature(MockServer)


async def nothing(_scope: Any, _receive: Any, _respond: Any) -> None:
    """An application that is never called."""


async def everything(account: AsyncAccount, folder: Path) -> set[str]:
    """Await everything that the async side has; returns the names."""
    operation, vendor = account.polyai.send_sms, account.polyai
    done: dict[str, Awaitable[Any]] = {}
    for label, side in (("Operation", operation), ("Vendor", vendor), ("Account", account)):
        done |= {
            f"{label}.calls": side.calls,
            f"{label}.call_count": side.call_count,
            f"{label}.called": side.called,
            f"{label}.assert_accepted": side.assert_accepted(times=1),
            f"{label}.assert_accepted_once": side.assert_accepted_once(),
            f"{label}.assert_refused": side.assert_refused(times=0),
            f"{label}.assert_called": side.assert_called(within=1),
            f"{label}.assert_called_once": side.assert_called_once(settle=0.01),
            f"{label}.assert_not_called": side.assert_not_called(answer="rate_limited"),
            f"{label}.verify": side.verify(),
            f"{label}.unpin": side.unpin(),
        }
    done |= {
        "Vendor.tokens": vendor.tokens,
        "Vendor.get": vendor.get("tokens.ApiKey"),
        "Vendor.write_files": account.voximplant.write_files(folder),
        "Account.get": account.get("polyai.tokens.ApiKey"),
        "Account.environment": account.environment({"KEY": "polyai.tokens.ApiKey"}),
        "Account.recorded_calls": account.recorded_calls(),
        "Account.unused_pins": account.unused_pins(),
        "Account.limits": account.limits,
        "Account.advance": account.advance(1),
        "Account.freeze": account.freeze(),
        "Account.unfreeze": account.unfreeze(),
        "Account.limit": account.limit("polyai"),
        "Account.unlimit": account.unlimit("polyai"),
        "Account.intercept": account.intercept(),
    }
    inbox, callbacks = account.inbox("+14155550123"), account.callbacks
    done |= {
        "Account.messages": account.messages(),
        "Inbox.messages": inbox.messages,
        "Callbacks.calls": callbacks.calls,
        "Callbacks.take": callbacks.take(),
        "Callbacks.deliver_to": callbacks.deliver_to(nothing),
    }
    for awaitable in done.values():
        await awaitable
    refused: dict[str, tuple[Awaitable[Any], type[Exception]]] = {
        "Inbox.code": (inbox.code, AssertionError),
        "Inbox.wait_for": (inbox.wait_for("code"), AssertionError),
        "Inbox.reply": (account.inbox("+14155550199").reply("STOP"), LookupError),
        "Callbacks.redeliver": (callbacks.redeliver((await account.calls).last), ControlError),
    }
    for label, side in (("Operation", operation), ("Vendor", vendor)):
        refused[f"{label}.assert_delivered"] = (side.assert_delivered(), TypeError)  # this vendor delivers nothing
    refused["Account.assert_delivered"] = (account.assert_delivered(), AssertionError)
    for awaitable, error in refused.values():
        with pytest.raises(error):
            await awaitable
    done |= {name: awaitable for name, (awaitable, _) in refused.items()}
    for label, side in (("Operation", operation), ("Vendor", vendor), ("Account", account)):
        pin = await side.pin("rate_limited")
        done |= {f"{label}.pin": side.pin("rate_limited"), "Pin.used": pin.used}
        async with done[f"{label}.pin"]:  # type: ignore[attr-defined]  # an Opening
            await done["Pin.used"]
        done |= {"Pin.remove": pin.remove(), f"{label}.reset": side.reset()}
        await done["Pin.remove"]
        await done[f"{label}.reset"]
    done["Account.delete"] = account.delete()
    await done["Account.delete"]
    return set(done)


def test_nothing_blocks_the_loop(server: MockServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is never asked in the thread of the loop, whatever is awaited."""
    exchange = Control._exchange  # noqa: SLF001 -- every request passes here
    asked = []

    def watched(self: Control, method: str, path: str, body: Mapping[str, Any] | None, wait: float) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            asked.append(path)
            return exchange(self, method, path, body, wait)
        raise AssertionError(f"{method} {path} blocks the loop")

    monkeypatch.setattr(Control, "_exchange", watched)

    async def code() -> set[str]:
        mock = AsyncMockServer(server.url)
        await mock.coverage()
        account = AsyncAccount(Account(await mock.make()))
        async with mock.account() as other:
            assert other.id != account.id
        status = await asyncio.to_thread(send, account.polyai)
        assert status == 202
        return await everything(account, tmp_path)

    done = asyncio.run(code())
    assert asked
    expected = {
        f"{sync.__name__}.{name}"
        for sync in (Account, Vendor, Operation, Pin, Inbox, Callbacks)
        for name in names(sync) - AT_ONCE
        if not name.startswith("_")
    }
    assert done == expected
