"""A running mockserver, wherever it runs."""

from collections.abc import Callable, Mapping
from typing import Any

from mockserver.testing.account import Account, Made
from mockserver.testing.control import Control
from mockserver.testing.journal import Journal


class MockServer:
    """``token`` is the control API's (default: the environment's MOCKSERVER_ADMIN_TOKEN).

    ``before_delete`` is called with the id of each account that is about to be deleted. The server is
    asked for its health on first use. All methods raise ControlError, saying what to do.
    """

    def __init__(
        self, url: str, token: str | None = None, *, before_delete: Callable[[str], None] | None = None
    ) -> None:
        self._control = Control(url, token)
        self._before_delete = before_delete
        self._operations: Mapping[str, tuple[str, ...]] | None = None

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return self._control.url

    def account(
        self,
        id: str | None = None,  # noqa: A002 -- the control API's word
        vendors: Mapping[str, Any] | None = None,
        test: str | None = None,
    ) -> Account:
        """A fresh account; what ``vendors`` gives wins, the rest is made up. Its calls count for ``test``."""
        return Account(self.make(id, vendors, test))

    def make(
        self,
        id: str | None = None,  # noqa: A002 -- the control API's word
        vendors: Mapping[str, Any] | None = None,
        test: str | None = None,
    ) -> Made:
        """What ``account`` is built from, for a class of its own."""
        given = {"id": id, "vendors": vendors, "test": test}
        operations = self._known_operations()
        shape = self._control.post("accounts", {name: value for name, value in given.items() if value is not None})
        return Made(Journal(self._control, shape["id"]), shape, operations, self._before_delete)

    def coverage(self, account: str | None = None) -> dict[str, Any]:
        """What an account (None: all that ever were) has met of the contracts, as ``GET /_mock/coverage``."""
        document: dict[str, Any] = self._control.get("coverage", account=account)
        return document

    def _known_operations(self) -> Mapping[str, tuple[str, ...]]:
        """Names by vendor; further spellings of an operation are not its names."""
        if self._operations is None:
            found: dict[str, dict[str, None]] = {}
            for contract in self._control.get("contracts")["contracts"]:
                names = (operation["id"].partition(".")[2] for operation in contract["operations"])
                found[contract["vendor"]] = dict.fromkeys(names)
            self._operations = {vendor: tuple(names) for vendor, names in found.items()}
        return self._operations

    def __repr__(self) -> str:
        return f"<MockServer {self.url}>"
