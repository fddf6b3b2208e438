"""What the pytest plugin's fixtures hand out."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mockserver.package_check import require_ours
from mockserver.spec.errors import ContractErrors
from mockserver.testing.account import Account, Made
from mockserver.testing.arguments import variables as checked_variables
from mockserver.testing.asynchronous import AsyncAccount
from mockserver.testing.caller import refuse_to_block
from mockserver.testing.findings import Findings, Watch
from mockserver.testing.process import run_command
from mockserver.testing.reports import write_report
from mockserver.testing.server import MockServer, run


class MockVendors(Account):
    """The account of one test, deleted at its end, unless it is kept for its page."""

    def __init__(self, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(made)
        made.journal.unawaited.owner, made.journal.unawaited.is_watched = "async_mock_vendors", True
        made.journal.is_watched = True
        self._monkeypatch = monkeypatch

    def setenv(self, variables: Mapping[str, str]) -> None:
        """Set environment variables to the values at dotted paths, until the test's end. Raises LookupError."""
        for name, value in self.environment(variables).items():
            self._monkeypatch.setenv(name, value)


class AsyncMockVendors(AsyncAccount):
    """The account of one test, its waits awaited."""

    def __init__(self, vendors: MockVendors) -> None:
        super().__init__(vendors)
        self._vendors = vendors

    def setenv(self, variables: Mapping[str, str]) -> None:
        """Set environment variables to the values at dotted paths, until the test's end. Raises LookupError.

        A token is signed by the server: for one, this is not for a running event loop, and raises RuntimeError there.
        """
        if any(".tokens" in path for path in checked_variables(variables).values()):
            refuse_to_block("setenv of a token", "environment(...), and set what it gives by monkeypatch")
        self._vendors.setenv(variables)


def serve(config: pytest.Config, findings: Findings, *, covered: bool) -> Iterator[MockServer]:
    """The session's server: that of ``--mockserver-url``, else one of its own, its coverage taken at the end."""
    require_ours()
    url, command = config.option.mockserver_url, config.option.mockserver_command
    contracts = config.option.mockserver_contracts or ()
    if url is None:
        fixtures = config.option.mockserver_fixtures or ()
        own = run(contracts=contracts, fixtures=fixtures) if command is None else None
        with ExitStack() as ending:
            try:
                server = ending.enter_context(own or run_command(command, contracts, fixtures))
            except ContractErrors as errors:
                pytest.fail("\n".join(["the server cannot start:", *map(str, errors.errors)]), pytrace=False)
            yield server
            if covered:
                findings.cover(server.coverage())
        return

    def take(account: str) -> None:
        findings.cover(shared.coverage(account))

    shared = MockServer(url, config.option.mockserver_token, before_delete=take if covered else None)
    yield shared


def watched(item: Any, server: MockServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[MockVendors, Watch]]:
    """A fresh account for a test and what is noticed about it; the account is deleted in the end."""
    markers = [_options(marker) for marker in reversed(list(item.iter_markers("mock_vendors")))]
    values = {vendor: data for options in markers for vendor, data in options.get("vendors", {}).items()}
    made = server.make(vendors=values or None, test=item.nodeid)
    with MockVendors(made, monkeypatch) as vendors:
        for options in markers:
            vendors.setenv(options.get("env", {}))
        stays = item.config.option.mockserver_url is not None
        watch = Watch(vendors, made.journal, stays=stays)
        yield vendors, watch
        watch.close()
        if watch.failed and item.config.option.mockserver_report is not None:
            write_report(Path(item.config.option.mockserver_report), item.nodeid, watch.calls)


def _options(marker: pytest.Mark) -> Mapping[str, Mapping[str, Any]]:
    """What a marker gives: ``env``, variables and the paths of their values; ``vendors``, values of the account."""
    if marker.args or not marker.kwargs or not marker.kwargs.keys() <= {"env", "vendors"}:
        raise TypeError(
            'the marker is used as @pytest.mark.mock_vendors(env={"NAME": "<vendor>.url", ...}), '
            'or with vendors={"<vendor>": {"callback_url": ...}}'
        )
    return marker.kwargs
