"""Contracts that change on disk under several workers: all of them end, and others begin with what is there now."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from mockserver.server.application import Application
from mockserver.server.settings import SettingsError
from mockserver.server.watch import FileWatch, ReadDraft
from mockserver.spec.errors import ContractError, ContractErrors
from mockserver.spec.model import Contract

MakeApplication = Callable[[tuple[Contract, ...]], Application]


class Renewal:
    """Watches the files of an application, of which ``make`` builds another; ``say`` is told what a user should know.

    Workers share a store, in whose order of changes those of one set of contracts may not stand beside another's.
    """

    def __init__(
        self,
        app: Application,
        drafts: Iterable[Path],
        read_draft: ReadDraft,
        make: MakeApplication,
        say: Callable[[str], None],
    ) -> None:
        self._make = make
        self._say = say
        self._watched = app.watched
        self._watch = FileWatch(app.settings, app.contracts, drafts, read_draft, app.watched)

    def look(self) -> Application | None:
        """An application of the contracts as they are on disk, if they have changed since the last look and are right.

        No thread is left behind: the process may fork.
        """
        made: list[Application] = []
        asyncio.run(self._watch.look(lambda contracts, _given, _regiven: made.append(self._made(contracts)), self._say))
        return made[-1] if made else None

    def _made(self, contracts: tuple[Contract, ...]) -> Application:
        """Another application. Raises ContractErrors."""
        try:
            app = self._make(contracts)
        except SettingsError as error:  # one that these contracts forbid
            raise ContractErrors([ContractError("contracts", 1, 1, "", str(error))]) from error
        app.watched.is_on, app.watched.swaps = True, self._watched.swaps + 1
        return app
