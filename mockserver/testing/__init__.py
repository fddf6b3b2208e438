"""What a user's tests import; nothing is loaded before it is used, and no server before one is run.

Type checkers and editors read the same names in ``__init__.pyi``.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Account": "account",
    "AccountCalls": "calls",
    "AsyncAccount": "asynchronous",
    "AsyncCallbacks": "asynchronous",
    "AsyncInbox": "asynchronous",
    "AsyncMockServer": "asynchronous",
    "AsyncMockVendors": "fixtures",
    "AsyncOperation": "asynchronous",
    "AsyncPin": "asynchronous",
    "AsyncVendor": "asynchronous",
    "Call": "call",
    "CallProblem": "call",
    "CallbackReply": "callbacks",
    "CallbackRequest": "callbacks",
    "Callbacks": "callbacks",
    "Calls": "calls",
    "Control": "client",
    "ControlError": "client",
    "Difference": "verification",
    "Early": "calls",
    "FaultDict": "fault",
    "Headers": "call",
    "Interception": "intercept",
    "Inbox": "messages",
    "LognormalDict": "fault",
    "Made": "account",
    "Messages": "messages",
    "Miss": "verification",
    "MockServer": "server",
    "MockServerWarning": "caller",
    "MockVendors": "fixtures",
    "Opening": "awaited",
    "Operation": "account",
    "Pending": "awaited",
    "Pin": "pin",
    "Request": "call",
    "Response": "call",
    "RunSettings": "server",
    "SmsMessage": "messages",
    "Unawaited": "calls",
    "Vendor": "account",
    "Verification": "verification",
    "Where": "where",
    "fault": "fault",
    "run": "server",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        from mockserver.testing.names import nearest_hint  # noqa: PLC0415 -- for a message only

        hint = nearest_hint(name, _HOMES)
        raise AttributeError(f"mockserver.testing has no {name!r}; it has: {', '.join(_HOMES)}{hint}")
    home = import_module(f"mockserver.testing.{_HOMES[name]}")
    return home if name == "fault" else getattr(home, name)


def __dir__() -> list[str]:
    return __all__
