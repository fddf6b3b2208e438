"""Further attempts at a callback, as the vendor documents them; and what becomes of callbacks when the server ends."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockserver.testing import Account, MockServer, fault, run
from tests.live import PATIENCE
from tests.twoway.conftest import FOLDER, Receiver, send


@pytest.fixture(scope="module")
def retrying_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockServer]:
    """The test vendor, which tries again after one minute and five."""
    folder = tmp_path_factory.mktemp("contracts")
    text = (FOLDER / "parcel.yaml").read_text("utf-8")
    retrying = text.replace(
        "to: {echo: /body/callback_url", "retries: [60, 300]\n                to: {echo: /body/callback_url"
    )
    assert retrying != text
    (folder / "parcel.yaml").write_text(retrying, "utf-8")
    with run(contracts=(folder,), builtin=False) as server:
        yield server


@pytest.fixture
def account(retrying_server: MockServer, receiver: Receiver) -> Iterator[Account]:
    """A customer whose callbacks go to the receiver; its clock stands still. Its messages fail: one receipt each."""
    with retrying_server.account(vendors={"parcel": {"callback_url": receiver.url}}) as account:
        account.freeze()
        account.parcel.send_message.pin(course="failed")
        send(account)
        yield account


def attempts(account: Account) -> list[tuple[int | None, int]]:
    return [(call.attempt, call.response.status) for call in account.parcel.status.calls]


def test_a_receiver_that_fails_twice(account: Account, receiver: Receiver) -> None:
    """It sees the documented attempts, each when it is due by the account's clock, and none after it took one."""
    receiver.statuses = [500, 503]
    account.advance(1)
    assert attempts(account) == [(1, 500)]
    (pending,) = account._journal.control.get(f"accounts/{account.id}")["callbacks"]  # noqa: SLF001 -- its own API
    assert pending["note"] == "the clock is frozen, due in 60 s, attempt 2"
    account.advance(59)
    assert len(attempts(account)) == 1
    account.advance(1)
    assert attempts(account) == [(1, 500), (2, 503)]
    account.advance(3600)
    assert attempts(account) == [(1, 500), (2, 503), (3, 200)]
    assert len({body for _, body in receiver.requests}) == 1


def test_one_advance_sets_off_all_that_it_passes(account: Account, receiver: Receiver) -> None:
    """Every attempt that became due is made before the clock answers, and no more than are documented."""
    receiver.statuses = [500] * 9
    account.advance(3600)
    assert attempts(account) == [(1, 500), (2, 500), (3, 500)]


def test_a_lost_callback_is_tried_again(account: Account, receiver: Receiver) -> None:
    """The vendor got no answer, so it does what it documents."""
    account.parcel.status.pin(fault=fault.lost())
    account.advance(3600)
    assert attempts(account) == [(1, 0), (2, 200)]
    assert len(receiver.requests) == 1


def test_a_reset_ends_attempts(account: Account, receiver: Receiver) -> None:
    """What was to be tried again is forgotten with the rest."""
    receiver.statuses = [500]
    account.advance(1)
    account.reset()
    account.freeze()
    account.advance(3600)
    assert (len(receiver.requests), account.recorded_calls()) == (1, [])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_the_end_of_the_server(tmp_path: Path) -> None:
    """A callback under way has a second; what is not answered then is recorded as abandoned, and the server ends."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--no-builtin", "--log", "json"]
        process = subprocess.Popen(
            [*command, "--contracts", str(FOLDER)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with process:
            try:
                url = ready(process)
                address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
                account = MockServer(url).account(vendors={"parcel": {"callback_url": address}})
                send(account)
                connection, _ = silent.accept()
                with connection:
                    process.send_signal(signal.SIGTERM)
                    _, log = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
    assert '"outcome":"abandoned"' in log.replace(" ", "")


def ready(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    first = process.stdout.readline()
    for line in process.stdout:
        if line.startswith("Credentials: "):
            return first.split()[-1]
    raise AssertionError("it did not start")
