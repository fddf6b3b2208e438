"""What a user's tests import; nothing is loaded before it is used, and no server before one is run."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.testing import fault
    from mockserver.testing.account import Account, Operation, Vendor
    from mockserver.testing.asynchronous import AsyncAccount, AsyncMockServer, AsyncOperation, AsyncPin, AsyncVendor
    from mockserver.testing.call import Call
    from mockserver.testing.client import ControlError
    from mockserver.testing.fault import FaultDict
    from mockserver.testing.fixtures import AsyncMockVendors, MockVendors
    from mockserver.testing.pin import Pin
    from mockserver.testing.server import MockServer, run
    from mockserver.testing.verification import Verification

_HOMES = {
    "Account": "account",
    "AsyncAccount": "asynchronous",
    "AsyncMockServer": "asynchronous",
    "AsyncMockVendors": "fixtures",
    "AsyncOperation": "asynchronous",
    "AsyncPin": "asynchronous",
    "AsyncVendor": "asynchronous",
    "Call": "call",
    "ControlError": "client",
    "FaultDict": "fault",
    "MockServer": "server",
    "MockVendors": "fixtures",
    "Operation": "account",
    "Pin": "pin",
    "Vendor": "account",
    "Verification": "verification",
    "fault": "fault",
    "run": "server",
}

__all__ = [
    "Account",
    "AsyncAccount",
    "AsyncMockServer",
    "AsyncMockVendors",
    "AsyncOperation",
    "AsyncPin",
    "AsyncVendor",
    "Call",
    "ControlError",
    "FaultDict",
    "MockServer",
    "MockVendors",
    "Operation",
    "Pin",
    "Vendor",
    "Verification",
    "fault",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"mockserver.testing has no {name!r}; it has: {', '.join(_HOMES)}")
    home = import_module(f"mockserver.testing.{_HOMES[name]}")
    return home if name == "fault" else getattr(home, name)
