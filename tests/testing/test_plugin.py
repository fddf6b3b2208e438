"""The pytest plugin: fixtures, environment, and what a failed test shows."""

import os

import pytest

from mockserver.testing import MockServer
from tests.testing.inner import here, write

pytest_plugins = ["pytester"]


def test_each_test_has_an_account_of_its_own(pytester: pytest.Pytester, server: MockServer) -> None:
    """Two tests differ in account and journal; both accounts are gone afterwards; their calls count for their ids."""
    write(
        pytester,
        """
seen = []
@pytest.mark.parametrize("number", [1, 2])
def test_it(mock_vendors, async_mock_vendors, number):
    send(mock_vendors.polyai)
    mock_vendors.polyai.send_sms.assert_called_once()
    assert async_mock_vendors.id == mock_vendors.id
    seen.append(mock_vendors)

def test_afterwards(mock_server):
    assert seen[0].id != seen[1].id
    assert [send(account.polyai) for account in seen] == [401, 401]
    tests = mock_server.coverage()["operations"]["polyai.send_sms"]["answers"]["sent"]["tests"]
    assert {"test_app.py::test_it[1]", "test_app.py::test_it[2]"} <= set(tests)
""",
    )
    here(pytester, "--mockserver-url", server.url).assert_outcomes(passed=3)


def test_the_environment_is_set_and_put_back(pytester: pytest.Pytester, server: MockServer) -> None:
    """By fixture, by marker on class and function, by marker alone; the nearer one wins, and all is undone."""
    write(
        pytester,
        """
os.environ["KEPT"] = "before"

def test_fixture(mock_vendors, async_mock_vendors):
    mock_vendors.setenv({"KEPT": "polyai.url"})
    async_mock_vendors.setenv({"KEY": "polyai.credentials.api_key"})
    assert os.environ["KEPT"] == mock_vendors.polyai.url
    assert os.environ["KEY"] == mock_vendors.polyai.credentials["api_key"]

def test_undone():
    assert os.environ["KEPT"] == "before"
    assert "KEY" not in os.environ

@pytest.fixture
def client():
    return os.environ["KEY"]

@pytest.mark.mock_vendors(env={"KEPT": "polyai.url", "KEY": "polyai.url"})
class TestMarked:
    @pytest.mark.mock_vendors(env={"KEY": "polyai.owned.connectors.0.id"})
    def test_marker(self, client, mock_vendors):
        assert client == mock_vendors.polyai.owned["connectors"][0]["id"]
        assert os.environ["KEPT"] == mock_vendors.polyai.url

    @pytest.mark.parametrize("number", [1, 2])
    def test_marker_alone(self, client, number):
        assert client == os.environ["KEPT"]

def test_undone_again():
    assert os.environ["KEPT"] == "before"
    assert "KEY" not in os.environ
""",
    )
    here(pytester, "--mockserver-url", server.url, "-p", "no:randomly").assert_outcomes(passed=6)
    os.environ.pop("KEPT")


def test_a_token_for_the_environment_blocks_no_loop(pytester: pytest.Pytester, server: MockServer) -> None:
    """Without a loop it is set; in one, the server is asked by what is awaited."""
    write(
        pytester,
        """
def test_it(async_mock_vendors, monkeypatch):
    import asyncio
    variables = {"TOKEN": "voximplant.tokens.Jwt"}
    async def code():
        async_mock_vendors.setenv({"URL": "voximplant.url"})
        with pytest.raises(RuntimeError, match="setenv of a token would block .*await async_mock_vendors.environment"):
            async_mock_vendors.setenv(variables)
        for name, value in (await async_mock_vendors.environment(variables)).items():
            monkeypatch.setenv(name, value)
    asyncio.run(code())
    assert os.environ["URL"] == async_mock_vendors.voximplant.url
    assert os.environ["TOKEN"].count(".") == 2
    async_mock_vendors.setenv(variables)
""",
    )
    here(pytester, "--mockserver-url", server.url).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        pytest.param('env={"A": "polyai.key"}', "*polyai has no 'key'; known: url, unre*", id="no such value"),
        pytest.param('env={"A": "acme.url"}', "*there is no vendor 'acme'; known: *", id="no such vendor"),
        pytest.param('{"A": "polyai.url"}', '*@pytest.mark.mock_vendors(env={"NAME": *', id="no env"),
        pytest.param('environ={"A": "polyai.url"}', '*@pytest.mark.mock_vendors(env={"NAME": *', id="another name"),
    ],
)
def test_mistakes_in_a_marker_are_told(
    pytester: pytest.Pytester, server: MockServer, marker: str, message: str
) -> None:
    """A test with a wrong marker does not run; the account that was made for it is deleted."""
    write(pytester, f"@pytest.mark.mock_vendors({marker})\ndef test_it(): pass\n")
    result = here(pytester, "--mockserver-url", server.url)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


def test_a_failed_test_shows_what_its_account_received(pytester: pytest.Pytester, server: MockServer) -> None:
    """A line per call, once, whether the test, a fixture before or one after it fails."""
    write(
        pytester,
        """
@pytest.fixture
def checked(mock_vendors):
    yield
    assert not mock_vendors.polyai.send_sms.calls, "after"

@pytest.fixture
def broken(mock_vendors):
    send(mock_vendors.polyai)
    raise ZeroDivisionError

def test_fails(mock_vendors):
    send(mock_vendors.polyai, key="")
    send(mock_vendors.polyai)
    raise ZeroDivisionError

def test_fails_before(broken): pass

def test_fails_after(mock_vendors, checked):
    send(mock_vendors.polyai)

def test_fails_without_calls(mock_vendors):
    raise ZeroDivisionError

def test_fails_twice(mock_vendors, checked):
    send(mock_vendors.polyai)
    raise ZeroDivisionError

def test_passes(mock_vendors):
    send(mock_vendors.polyai)
""",
    )
    result = here(pytester, "--mockserver-url", server.url)
    result.assert_outcomes(passed=2, failed=3, errors=3)
    sent = "??:??:??.??? polyai.send_sms/sent 202 default"
    result.stdout.fnmatch_lines(
        [
            "* mockserver calls *",
            sent,
            "* mockserver calls *",
            sent,
            "* mockserver calls *",
            "??:??:??.??? polyai.send_sms/unauthorized 401 rule unauthenticated absent /header/x-polyai-auth-token",
            sent,
            "* mockserver calls *",
            "account a-* received no call",
            "* mockserver calls *",
            sent,
        ]
    )
    assert sum("mockserver calls" in line for line in result.outlines) == 5


def test_a_long_history_is_cut(pytester: pytest.Pytester, server: MockServer) -> None:
    """The latest fifty calls are shown, the others counted."""
    write(
        pytester,
        "def test_it(mock_vendors):\n    for n in range(52): send(mock_vendors.polyai)\n    raise ZeroDivisionError\n",
    )
    result = here(pytester, "--mockserver-url", server.url)
    result.stdout.fnmatch_lines(["… 2 earlier calls"])
    assert sum("polyai.send_sms/sent 202" in line for line in result.outlines) == 50


def test_a_server_that_goes_away_is_told(pytester: pytest.Pytester) -> None:
    """The section says that it cannot be read, and the end of the test that nobody answers."""
    write(
        pytester,
        """
from mockserver.testing import run, MockServer
@pytest.fixture(scope="session")
def running():
    with run() as server:
        yield server

@pytest.fixture(scope="session")
def mock_server():
    context = run()
    server = context.__enter__()
    server.stop = lambda: context.__exit__(None, None, None)
    return server

def test_it(mock_vendors, mock_server):
    mock_server.stop()
    raise ZeroDivisionError
""",
    )
    result = here(pytester)
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines(["* mockserver calls *", "cannot be read: no mockserver answers at *"])


def test_our_own_contracts(pytester: pytest.Pytester) -> None:
    """A folder of contracts brings its vendor; a broken one ends the session's fixture with its faults."""
    source = (pytester.path / "contracts").resolve()
    source.mkdir()
    (source / "acme.yaml").write_text("openapi: 3.1.0\n", "utf-8")
    write(pytester, "def test_it(mock_vendors): pass\n")
    result = here(pytester, "--mockserver-contracts", str(source))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["the server cannot start:", "*acme.yaml:1:*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*in contracts_of*")


def test_a_folder_of_contracts_that_is_not_there(pytester: pytest.Pytester) -> None:
    """It is one line, before any test runs."""
    write(pytester, "def test_it(): pass\n")
    result = here(pytester, "--mockserver-contracts", "nope")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--mockserver-contracts: there is no folder nope"])


def test_options_that_contradict_are_refused(pytester: pytest.Pytester) -> None:
    """Contracts cannot be given to a server that runs already."""
    write(pytester, "def test_it(): pass\n")
    result = here(pytester, "--mockserver-url", "http://127.0.0.1:1", "--mockserver-contracts", "x")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--mockserver-contracts is for a server of pytest's own*"])


def test_an_unreachable_server_is_told(pytester: pytest.Pytester) -> None:
    """With a wrong URL the fixture fails with what to do."""
    write(pytester, "def test_it(mock_vendors): pass\n")
    result = here(pytester, "--mockserver-url", "http://127.0.0.1:1")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no mockserver answers at http://127.0.0.1:1: *"])


def test_anothers_package_is_told(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another distribution's mockserver took our place, the first fixture says so."""
    monkeypatch.setattr("mockserver.DISTRIBUTION", "another")
    write(pytester, "def test_it(mock_vendors): pass\ndef test_other(): pass\n")
    result = here(pytester)
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["*ForeignPackageError: *is not sms-vendor-mockserver's*"])
