"""Proposed fixtures, tried before they are shown: each is replayed against the contract as the patch makes it."""

import asyncio
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from mockserver.authoring.exchange import complaints
from mockserver.authoring.trial import send
from mockserver.cli.common import accounts_of
from mockserver.engine.fixture_case import FixtureError, Replay, Sent
from mockserver.server.application import create_app
from mockserver.server.build import fixtures_folder
from mockserver.server.settings import Settings
from mockserver.spec.load import contract_files, is_overlay, vendor_of
from mockserver.spec.source import read_yaml
from mockserver.store.kinds import MEMORY

MAX_TRIES = 100  # fixtures of one call


class FixtureTrial:
    """A vendor in this process. ``name`` is that of the contract's file, ``text`` what it has.

    Raises ContractErrors.
    """

    def __init__(self, name: str, text: str, settings: Settings) -> None:
        fixtures = (*settings.fixtures, *([fixtures_folder()] if settings.builtin else []))
        with TemporaryDirectory(prefix="mockserver-") as folder:
            file = Path(folder) / name
            for other in contract_files(settings.contracts):
                if is_overlay(other) and vendor_of(other) == vendor_of(file):
                    shutil.copy(other, folder)
            file.write_text(text, "utf-8")
            own = replace(settings, contracts=(Path(folder),), fixtures=fixtures, builtin=is_overlay(file))
            own = replace(own, accounts=None, log="off", store=MEMORY, explain=True)
            self._app = create_app(own)
            self._accounts = accounts_of(own, self._app.contracts)

    def first_that_holds(self, vendor: str, cases: Iterable[dict[str, Any]]) -> tuple[str, list[str]]:
        """The text of the first of these fixtures that gets its answer; "" where none does, and why the first does not.

        Its account becomes the one to which the mock ascribes the call.
        """
        contract = next(contract for contract in self._app.contracts if contract.vendor == vendor)
        replay = Replay(contract, self._accounts, self._app.state.mock.sources.now)
        why: list[str] = []
        for case in islice(cases, MAX_TRIES):
            told, account = self._tried(_written(case), replay)
            if not told:
                return _written({**case, "account": account}), []
            why = why or [*told[:1], *told[1:][-1:]]  # the last says what it was refused for
        return "", why

    def _tried(self, text: str, replay: Replay) -> tuple[list[str], str | None]:
        """What a fixture is not right in, as it is written; and whose call it makes."""
        case: Mapping[str, Any] = read_yaml("fixture", text).value
        for account in self._accounts:
            asyncio.run(self._app.store.reset_account(account))
        try:
            reply = send(self._app, replay.request(case))
            told = complaints(case, replay, reply)
        except FixtureError as error:
            return [str(error)], None
        shape = send(self._app, Sent("GET", f"/_mock/calls/{reply.headers.get('x-mock-call')}", [], b""))
        return told, None if told else json.loads(shape.body)["account"]


def _written(case: Mapping[str, Any]) -> str:
    return yaml.safe_dump(case, default_flow_style=None, sort_keys=False, allow_unicode=True, width=120)
