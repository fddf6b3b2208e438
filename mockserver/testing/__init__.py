"""What a user's tests import; nothing is loaded before it is used, and no server before one is run."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.testing.account import Account, Operation, Pin, Vendor
    from mockserver.testing.asynchronous import AsyncAccount, AsyncMockServer, AsyncOperation, AsyncVendor
    from mockserver.testing.call import Call
    from mockserver.testing.client import ControlError
    from mockserver.testing.fixtures import AsyncMockVendors, MockVendors
    from mockserver.testing.server import MockServer, run
    from mockserver.testing.verification import Verification

_HOMES = {
    "Account": "account",
    "AsyncAccount": "asynchronous",
    "AsyncMockServer": "asynchronous",
    "AsyncMockVendors": "fixtures",
    "AsyncOperation": "asynchronous",
    "AsyncVendor": "asynchronous",
    "Call": "call",
    "ControlError": "client",
    "MockServer": "server",
    "MockVendors": "fixtures",
    "Operation": "account",
    "Pin": "account",
    "Vendor": "account",
    "Verification": "verification",
    "run": "server",
}

__all__ = [
    "Account",
    "AsyncAccount",
    "AsyncMockServer",
    "AsyncMockVendors",
    "AsyncOperation",
    "AsyncVendor",
    "Call",
    "ControlError",
    "MockServer",
    "MockVendors",
    "Operation",
    "Pin",
    "Vendor",
    "Verification",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"mockserver.testing has no {name!r}; it has: {', '.join(_HOMES)}")
    return getattr(import_module(f"mockserver.testing.{_HOMES[name]}"), name)
