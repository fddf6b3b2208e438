"""The servers that are measured, as processes."""

import subprocess
import sys

import pytest

from benchmarks.scenarios import SCENARIOS, invalid_sends, scenario, send
from benchmarks.servers import Program, ServerError, our_program, plain_programs, running
from tests.evidence import ROOT


def test_ours_accepts_and_refuses() -> None:
    """Our server, started as it is measured, accepts every scenario, refuses what is invalid, and can be weighed."""
    with running(our_program(), send()) as server:
        assert server.startup > 0
        for name in SCENARIOS:
            assert {server.status(request) for request in scenario(name)} <= {200, 202}
        assert [server.status(request) for request in invalid_sends().values()] == [401, 400, 400]
        assert len(server.ask("GET", "/_mock/calls?direction=in")["calls"]) == 12
        assert server.memory() > 10
        assert server.cpu() > 0
        with pytest.raises(ServerError, match=r"GET /_mock/none was answered 404"):
            server.ask("GET", "/_mock/none")


@pytest.mark.parametrize("floor", plain_programs(), ids=lambda floor: floor.name)
def test_floors_accept_anything(floor: Program) -> None:
    """Bare uvicorn and bare Starlette accept what is good and what is not."""
    with running(floor, send()) as server:
        assert {server.status(request) for request in invalid_sends().values()} == {202}


def test_a_server_that_ends() -> None:
    """A server that ends before it answers is a fault with its last words."""
    broken = Program("broken", lambda _: [sys.executable, "-c", "raise SystemExit('no such file')"])
    with pytest.raises(ServerError, match="ended with 1: no such file"), running(broken, send()):
        pass


def test_jumps() -> None:
    """The modules as they are entered, and how many; a warm request passes the same each time."""
    command = [sys.executable, str(ROOT / "benchmarks/jumps.py")]
    *way, _, counted = subprocess.run(
        [*command, "--list"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert way[0] == way[-1]
    assert counted == f"{len(set(way))} modules, {len(way) - 1} jumps"
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"{counted}\n"
