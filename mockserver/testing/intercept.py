"""The vendors' own hosts lead to a server, inside one process and, if asked for, in the programs that it starts."""

import base64
import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, ClassVar, Self
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
        self._folder: TemporaryDirectory[str] | None = None
        self._variables = _Variables(self._led(trust) if env else direct_variables(self.hosts, os.environ))
        self._redirect.start()

    def stop(self) -> None:
        """Put everything back as it was, whichever of several ends first; nothing happens the second time.

        Connections that it led are shut down, whoever keeps them.
        """
        self._redirect.stop()
        self._variables.restore()
        if self._folder is not None:
            with contextlib.suppress(OSError):  # a program may still have a file open
                self._folder.cleanup()
            self._folder = None

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


class _Variables:
    """Variables of this process's environment, set until ``restore``; several may end in any order."""

    _in_force: ClassVar[list["_Variables"]] = []

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        self._in_force.append(self)

    def restore(self) -> None:
        if self not in self._in_force:
            return
        at = self._in_force.index(self)
        above = self._in_force[at + 1 :]
        del self._in_force[at]
        for name, value in self.before.items():
            next_one = next((other for other in above if name in other.before), None)
            if next_one is not None:
                next_one.before[name] = value
            elif value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
