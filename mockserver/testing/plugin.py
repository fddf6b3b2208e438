"""The pytest plugin. It is loaded in every pytest run: all but its hooks is imported when a fixture is first used."""

import argparse
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockserver.testing.findings import Findings, Watch
    from mockserver.testing.fixtures import AsyncMockVendors, MockVendors
    from mockserver.testing.server import MockServer

OUTPUT = "sms_mockserver"
EXCHANGES_PLUGIN = "mockserver.authoring.collecting"  # by name: this wing knows nothing of authors
FINDINGS = pytest.StashKey["Findings"]()
WATCH = pytest.StashKey["Watch"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mockserver", "SMS vendors (mockserver)")
    add = group.addoption
    add("--mockserver-url", metavar="URL", help="Use this running server; without it each worker runs its own.")
    add("--mockserver-token", metavar="TOKEN", help="Its control API's token. Default: MOCKSERVER_ADMIN_TOKEN.")
    add(
        "--mockserver-command",
        metavar="CMD",
        help="Start the server from another environment: CMD is its mockserver, as in /opt/mock/bin/mockserver.",
    )
    add("--mockserver-contracts", metavar="DIR", action="append", help="A folder of further contracts. Repeatable.")
    add(
        "--mockserver-fixtures",
        metavar="DIR",
        action="append",
        help="A folder of fixtures: accounts for the server, and exchanges, each replayed as a test. Repeatable.",
    )
    add(
        "--mockserver-evidence",
        metavar="page|vendor|sibling",
        help="Fail a test whose calls relied on less. Default: a line in the summary tells of assumed answers.",
    )
    add("--mockserver-assumed", nargs="?", const="", help=argparse.SUPPRESS)  # the old name of --mockserver-evidence
    add(
        "--mockserver-refused",
        choices=("fail", "warn", "ignore"),
        default="warn",
        help="Where a rule refused a call, or no vendor has its path, and no test asserted on it. "
        "Default: a line in the summary.",
    )
    add(
        "--mockserver-unused",
        choices=("fail", "warn", "ignore"),
        default="warn",
        help="Where a test pinned an answer or a fault that calls did not use up. Default: a line in the summary.",
    )
    add(
        "--mockserver-intercept",
        action="store_true",
        help="Lead the vendors' own addresses to the server in all tests, for code whose base URL cannot be set.",
    )
    add(
        "--mockserver-report",
        metavar="DIR",
        help="Keep the calls of each failed test there, as an HTTP Archive and as text.",
    )
    add("--mockserver-cov", action="store_true", help="Show which documented answers the tests met.")
    add("--mockserver-cov-json", metavar="FILE", help="Write that for `mockserver coverage merge`.")
    add("--mockserver-cov-vendor", metavar="VENDOR", action="append", help="Count this vendor only. Repeatable.")
    add("--mockserver-cov-fail-under", metavar="PERCENT", type=float, help="Fail below this coverage.")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "mock_vendors(env, vendors): an account for this test, environment variables from it, and values that it has: "
        '@pytest.mark.mock_vendors(env={"NAME": "<vendor>.credentials.api_key"})',
    )
    option = config.option
    if option.mockserver_assumed is not None:
        raise pytest.UsageError("--mockserver-assumed is now --mockserver-evidence=page|vendor|sibling")
    if option.mockserver_evidence not in {None, "page", "vendor", "sibling"}:
        raise pytest.UsageError(f"--mockserver-evidence is page, vendor or sibling, not {option.mockserver_evidence}")
    if option.mockserver_intercept:
        config.pluginmanager.register(_Intercepting(), "sms_mockserver_intercepting")
    for name in ("contracts", "fixtures"):
        if option.mockserver_url and getattr(option, f"mockserver_{name}"):
            raise pytest.UsageError(f"--mockserver-{name} is for a server of pytest's own, not for --mockserver-url")
    for folder in (option.mockserver_contracts or ()) if option.mockserver_command is None else ():
        if not Path(folder).is_dir():
            raise pytest.UsageError(f"--mockserver-contracts: there is no folder {folder}")
    if option.mockserver_fixtures:
        config.pluginmanager.import_plugin(EXCHANGES_PLUGIN)
    if option.mockserver_url and option.mockserver_command is not None:
        raise pytest.UsageError("--mockserver-command starts a server: --mockserver-url names one that runs already")


@pytest.fixture(scope="session")
def mock_server(request: pytest.FixtureRequest) -> "Iterator[MockServer]":
    """The server with all vendors; its ``account()`` makes accounts of any scope."""
    from mockserver.testing.fixtures import serve  # noqa: PLC0415 -- see the module's docstring

    yield from serve(request.config, _findings(request.config), covered=_is_covered(request.config))


class _Intercepting:
    """Part of a run with ``--mockserver-intercept``."""

    @pytest.fixture(scope="session", autouse=True)
    def _mockserver_intercept(self, mock_server: "MockServer") -> Iterator[None]:
        with mock_server.intercept():
            yield


@pytest.fixture
def mock_vendors(
    request: pytest.FixtureRequest, mock_server: "MockServer", monkeypatch: pytest.MonkeyPatch
) -> "Iterator[MockVendors]":
    """A fresh account at all vendors for this test, deleted afterwards."""
    from mockserver.testing.fixtures import watched  # noqa: PLC0415 -- as above

    item = request.node
    for vendors, watch in watched(item, mock_server, monkeypatch):
        item.stash[WATCH] = watch
        yield vendors
    _conclude(request.config, item.nodeid, watch)


@pytest.fixture
def async_mock_vendors(mock_vendors: "MockVendors") -> "AsyncMockVendors":
    """The account of ``mock_vendors``, its assertions to be awaited."""
    from mockserver.testing.fixtures import AsyncMockVendors  # noqa: PLC0415 -- as above

    return AsyncMockVendors(mock_vendors)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The marker alone is enough: it brings its fixture, before others that may read the environment."""
    if item.get_closest_marker("mock_vendors") is not None:
        names: list[str] = getattr(item, "fixturenames", [])
        names[:] = ["mock_vendors", *(name for name in names if name != "mock_vendors")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    watch = item.stash.get(WATCH, None)
    if watch is not None and report.failed:
        text = watch.section()
        if text is not None:
            report.sections.append(("mockserver calls", text))
    return report


@pytest.hookimpl(trylast=True)  # where a run is interrupted, fixtures of the session end only here
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workeroutput"):
        if FINDINGS in config.stash:
            config.workeroutput[OUTPUT] = _findings(config).dump()
    elif _is_covered(config) and not config.option.collectonly:
        from mockserver.testing.findings import finish  # noqa: PLC0415 -- as above

        findings = _findings(config)
        findings.is_forked = bool(getattr(config.option, "forked", False))
        findings.is_interrupted = session.exitstatus == pytest.ExitCode.INTERRUPTED
        if not finish(config.option, _findings(config)) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what an xdist worker found."""
    output = getattr(node, "workeroutput", None)
    if output is None:
        _findings(node.config).lose()
    elif OUTPUT in output:
        _findings(node.config).absorb(output[OUTPUT])


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter", config: pytest.Config) -> None:
    if FINDINGS in config.stash:
        from mockserver.testing.findings import show  # noqa: PLC0415 -- as above

        show(terminalreporter, config.option, _findings(config))


def _findings(config: pytest.Config) -> "Findings":
    if FINDINGS not in config.stash:
        from mockserver.testing.findings import Findings  # noqa: PLC0415 -- as above

        config.stash[FINDINGS] = Findings()
    return config.stash[FINDINGS]


def _is_covered(config: pytest.Config) -> bool:
    option = config.option
    return option.mockserver_cov or option.mockserver_cov_json or option.mockserver_cov_fail_under is not None


def _conclude(config: pytest.Config, test: str, watch: "Watch") -> None:
    """Note, or raise as a test's failure, what its account met; a test that failed already is left alone."""
    findings, option = _findings(config), config.option
    complaints = []
    if option.mockserver_evidence is None:
        findings.meet(test, watch.assumed)
    elif relied := watch.below(option.mockserver_evidence):
        lines = "\n".join(f"  {line}" for line in relied)
        complaints.append(f"relied on less than {option.mockserver_evidence}:\n{lines}")
    if option.mockserver_refused == "fail" and watch.unasserted:
        lines = "\n".join(f"  {call}" for call in watch.unasserted)
        complaints.append(f"refusals that no assertion matched and nobody read:\n{lines}")
    elif option.mockserver_refused == "warn":
        findings.overlook(test, watch.unasserted)
    if option.mockserver_unused == "fail" and watch.unused:
        lines = "\n".join(f"  {pin}" for pin in watch.unused)
        complaints.append(f"pins that no call used up:\n{lines}")
    elif option.mockserver_unused == "warn":
        findings.pin_in_vain(test, watch.unused)
    if watch.unawaited:
        lines = "\n".join(f"  {line}" for line in watch.unawaited)
        complaints.append(f"what is never awaited asserts nothing and has no effect:\n{lines}")
    if complaints and not watch.failed:
        pytest.fail("\n".join(complaints), pytrace=False)
