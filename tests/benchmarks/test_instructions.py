"""Instructions of a request: what callgrind writes, what is reckoned from it, and the client that sends."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.callgrind import (
    VENDORS,
    Counted,
    arguments,
    converse,
    main,
    per_request,
    table,
    total,
    under_callgrind,
)
from benchmarks.figures import BARE, OURS
from benchmarks.scenarios import Sample, sends, wire
from benchmarks.servers import Program, ServerError
from tests.live import PATIENCE, live_server

ANSWERED = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n"


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A port where each request of one connection gets the next of the answers; and what it was sent."""
    got: list[bytes] = []

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            for answer in answers:
                got.append(connection.recv(65536))
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1], got
        finally:
            thread.join(PATIENCE)


def test_totals() -> None:
    """The total is read, not the summary that stands before it."""
    assert total("events: Ir\nsummary: 7\n\nfn=(1) main\n1 5\n\ntotals: 1200\n") == 1200


@pytest.mark.parametrize("text", ["", "events: Ir\nfn=(1) main\n1 5\n"])
def test_a_killed_server_has_no_totals(text: str) -> None:
    """Without totals, or without a file, there is no figure."""
    with pytest.raises(ServerError, match="killed"):
        total(text)


def test_the_start_cancels_out() -> None:
    """What both runs share is no part of a request's instructions."""
    assert per_request((100, 5_000_000 + 100 * 300), (900, 5_000_000 + 900 * 300)) == 300


def test_table() -> None:
    """Thousands of instructions, and bare as a share of ours with two digits."""
    counted: Counted = {
        "about": {},
        "requests": [100, 900],
        "instructions": {"polyai": {BARE: 80_049.0, OURS: 320_000.0}, "avaamo": {BARE: 80_000.0, OURS: 1_000_000.0}},
    }
    assert table(counted).splitlines()[2:] == ["| polyai | 80.0 | 320.0 | 0.25 |", "| avaamo | 80.0 | 1000.0 | 0.08 |"]


def test_program_under_callgrind(tmp_path: Path) -> None:
    """The program is what it was, but for who runs it and the order of its sets."""
    program = Program("one", lambda port: ["serve", str(port)], {"A": "b"})
    counted = under_callgrind(program, tmp_path / "out")
    assert counted.command(80) == [
        "valgrind",
        "--tool=callgrind",
        f"--callgrind-out-file={tmp_path / 'out'}",
        "serve",
        "80",
    ]
    assert counted.environment == {"A": "b", "PYTHONHASHSEED": "0"}


def test_every_vendor_is_a_scenario() -> None:
    """No vendor is left out, and none has a request that separate packets would change."""
    assert sorted(VENDORS) == sorted(sends())
    assert max(len(wire(request)) for request in sends().values()) < 1400


def test_options() -> None:
    """Scenarios add up; what is not given has a default."""
    options = arguments().parse_args(["--scenario", "polyai", "--scenario", "avaamo", "--requests", "10", "20"])
    assert (options.scenario, options.requests) == (["polyai", "avaamo"], [10, 20])
    assert arguments().parse_args([]).requests == (100, 900)


def test_few_and_many_must_differ(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Two runs of the same length tell nothing."""
    monkeypatch.setattr("sys.argv", ["instructions.py", "--requests", "20", "20"])
    with pytest.raises(SystemExit):
        main()
    assert "HIGH must be more" in capsys.readouterr().err


def test_one_connection() -> None:
    """All requests go over one connection, each as it is; the last answer's body is read too."""
    request = Sample("POST", "/", {}, "{}")
    with answering(ANSWERED + b"\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}") as (port, got):
        converse(port, request, 2)
    assert got == [wire(request)] * 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno", "401 None no"),
        (ANSWERED + b"x-mock-answer: one.send_sms/failed\r\n\r\n", "202 one.send_sms/failed"),
        (ANSWERED + b"connection: close\r\n\r\n", "does not keep the connection"),
    ],
)
def test_an_answer_that_is_no_success(answer: bytes, said: str) -> None:
    """A refusal, even one that is called a success, and a connection that ends are no figure."""
    with answering(answer) as (port, _), pytest.raises(ServerError, match=said):
        converse(port, Sample("POST", "/", {}, "{}"), 1)


def test_ours_accepts_each() -> None:
    """Our server accepts each vendor's send, again and again."""
    with live_server() as live:
        for request in sends().values():
            converse(live.port, request, 3)
