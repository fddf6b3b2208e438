"""The vendors' own hosts lead to a server, inside one process and, if asked for, in the programs that it starts."""

import base64
import contextlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from mockserver.testing.child_environment import ClientTarget, child_variables, direct_variables
from mockserver.testing.client import Control, ControlError
from mockserver.testing.redirect import Redirect


class Interception:
    """In force from when it is made until ``stop`` or the end of its ``with`` block. ``hosts`` are the vendors'.

    Clients, sessions and TLS contexts made before are caught, too. A proxy that the environment names is not asked for
    the vendors' hosts, but by a client that keeps the one of its beginning. With ``env`` the variables of
    ``mockserver run`` are set in this process, for the programs that it starts. Raises ControlError.
    """

    def __init__(self, control: Control, *, env: bool = False) -> None:
        parts = urlsplit(control.url)
        if parts.scheme != "http":
            raise ControlError(
                f"{control.url} is behind TLS of its own: to intercept, name the server's own http address"
            )
        trust: dict[str, Any] = control.get("trust")
        self.hosts: tuple[str, ...] = tuple(trust["hosts"])
        self._address = parts.hostname or "", parts.port or 80
        self._redirect = Redirect(self.hosts, self._address, trust["ca"])
        self._before: dict[str, str | None] = {}
        self._folder: TemporaryDirectory[str] | None = None
        self._set(self._led(trust) if env else direct_variables(self.hosts, os.environ))
        self._redirect.start()

    def stop(self) -> None:
        """Put everything back as it was; nothing happens the second time."""
        self._redirect.stop()
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before = {}
        if self._folder is not None:
            with contextlib.suppress(OSError):  # a program may still have a file open
                self._folder.cleanup()
            self._folder = None

    def _set(self, variables: dict[str, str]) -> None:
        self._before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)

    def _led(self, trust: dict[str, Any]) -> dict[str, str]:
        """The variables of ``mockserver run``, with the files that they name."""
        from mockserver.server.trust_files import bundle  # noqa: PLC0415 -- few tests need a part of the server

        self._folder = TemporaryDirectory(prefix="mockserver-")
        target = ClientTarget(self.hosts, *self._address, Path(self._folder.name))
        target.ca.write_text(trust["ca"], "ascii")
        target.bundle.write_text(bundle(trust["ca"], os.environ), "utf-8")
        if trust["java_store"] is not None:
            target.java_store.write_bytes(base64.b64decode(trust["java_store"]))
        return child_variables(target, os.environ)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Interception of {', '.join(self.hosts)}>"
