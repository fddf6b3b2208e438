"""A stand-in for conversational-SMS vendors: they answer from contracts, and every call is recorded.

``create_app`` makes the ASGI application, as in ``uvicorn --factory mockserver:create_app``; the server is imported
when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["DISTRIBUTION", "__version__", "create_app"]
__version__ = "0.1.0"
DISTRIBUTION = "sms-vendor-mockserver"  # another distribution also has a package mockserver: see package_check.py

if TYPE_CHECKING:
    from mockserver.server.application import create_app
else:

    def __getattr__(name: str) -> Any:
        if name == "create_app":
            return import_module("mockserver.server.application").create_app
        raise AttributeError(f"module 'mockserver' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
