"""A server of one's own: ready on entry, gone on exit, its faults raised where it is started."""

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import mockserver.testing
from mockserver.server.server_thread import ServerThread
from mockserver.server.sockets import ListenError
from mockserver.spec.errors import ContractErrors
from mockserver.testing import ControlError, run
from tests.testing.sending import send


def logging_state() -> list[Any]:
    """All that a program can have set up on loggers."""
    loggers = [logging.getLogger(name) for name in (None, *sorted(logging.root.manager.loggerDict))]
    return [(one.name, one.level, one.propagate, one.disabled, list(one.handlers)) for one in loggers]


def test_it_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    """No thread, no listening socket, no logger set up or written to."""
    with run() as server:  # uvicorn makes its loggers when it is first imported
        pass
    caplog.set_level(logging.INFO, "uvicorn.access")
    threads, loggers = threading.enumerate(), logging_state()
    with run() as server, server.account() as account:
        assert send(account.polyai) == 202
        assert logging_state() == loggers
    assert logging_state() == loggers
    assert threading.enumerate() == threads
    assert [record for record in caplog.records if record.name == "uvicorn.access"] == []
    with pytest.raises(ControlError, match="no mockserver answers"):
        server.account()


def test_two_servers_know_nothing_of_each_other() -> None:
    """Each has a port and accounts of its own."""
    with run() as one, run() as other:
        assert one.url != other.url
        account = one.account(id="same")
        other.account(id="same")
        send(account.polyai)
        assert other.account().calls == []


def test_faults_of_contracts_are_raised_at_the_start(tmp_path: Path) -> None:
    """A broken contract, with its file and line; no thread has been started by then."""
    threads = threading.enumerate()
    (tmp_path / "acme.yaml").write_text("openapi: 3.1.0\n", "utf-8")
    with pytest.raises(ContractErrors, match=r"acme\.yaml:1"), run(contracts=[str(tmp_path)]):
        pass
    with pytest.raises(ContractErrors, match="no such folder"), run(contracts=tmp_path / "none", fixtures=()):
        pass
    assert threading.enumerate() == threads


def test_settings_are_those_of_serve(tmp_path: Path) -> None:
    """Any of them can be given; another name is told with the known ones."""
    file = tmp_path / "accounts.yaml"
    file.write_text("id: known\nvendors: {}\n", "utf-8")
    with run(accounts=str(file), explain=False) as server:
        with pytest.raises(ControlError, match="an account 'known' already"):
            server.account(id="known")
        taken = int(server.url.rpartition(":")[2])
        with pytest.raises(ListenError, match="cannot listen"), run(port=taken):
            pass
    with (
        pytest.raises(TypeError, match=r"ports is no setting of a server; known: .*Did you mean 'port'"),
        run(ports=1),  # type: ignore[call-arg]  # the mistake itself
    ):
        pass
    with (
        pytest.raises(TypeError, match=r"^the setting journal_calls is now max_journal_calls$"),
        run(journal_calls=1),  # type: ignore[call-arg]  # the mistake itself
    ):
        pass


@pytest.mark.parametrize(
    ("host", "begin"),
    [("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:")],  # noqa: S104 -- the subject
    ids=["every address", "IPv6"],
)
def test_other_addresses_can_be_listened_on(host: str, begin: str) -> None:
    """Off loopback the control API wants a token, which this client has."""
    with run(host=host) as server:
        assert server.url.startswith(begin)
        assert server.account().id


def test_a_server_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends the thread before it answers is raised where the server was to be used."""

    def fail(_: Any) -> None:
        raise SystemExit(3)

    monkeypatch.setattr(ServerThread, "_serve", fail)
    with pytest.raises(RuntimeError, match="did not start") as caught, run():
        pass
    assert isinstance(caught.value.__cause__, SystemExit)


def test_threads_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where gevent has replaced them, it is said at once, in one line, instead of waiting for ever."""

    def start_new_thread(*_: Any) -> None:
        raise AssertionError("no thread may be started")

    start_new_thread.__module__ = "gevent.thread"
    monkeypatch.setattr("_thread.start_new_thread", start_new_thread)
    said = r"gevent has replaced the threads .* run `mockserver serve` apart, .* --mockserver-url=URL"
    with pytest.raises(ControlError, match=said), run():
        pass


def test_importing_costs_nothing_of_the_server() -> None:
    """Neither the package, nor the plugin, nor a client of a server elsewhere loads what a server needs."""
    heavy = {"starlette", "uvicorn", "jsonschema_rs", "yaml", "joserfc", "mockserver.server"}
    code = (
        "import sys; import mockserver.testing.plugin; from mockserver.testing import MockServer, Account, run; "
        f"MockServer('http://127.0.0.1:1'); print(sorted({heavy!r} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (found.stdout.strip(), found.stderr) == ("[]", "")


def test_every_public_name_is_there() -> None:
    """The lazy names lead to what they promise; another one is told with them."""
    for name in dir(mockserver.testing):
        assert getattr(mockserver.testing, name).__name__.rpartition(".")[2] == name
    with pytest.raises(AttributeError, match=r"mockserver\.testing has no 'Mock'; it has: Account, "):
        _ = mockserver.testing.Mock  # type: ignore[attr-defined]  # the mistake itself
