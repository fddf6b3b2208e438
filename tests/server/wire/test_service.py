"""The first lines of answers."""

from email.utils import formatdate

import pytest

from mockserver.server.settings import Settings
from mockserver.server.wire import service as module
from mockserver.server.wire.service import Service

SECOND = 1_800_000_000


@pytest.mark.parametrize("step", [0.5, 1, 1e8, -1, -1e8])
def test_the_date_is_the_second_of_the_clock(step: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each answer, whatever its status, and wherever the clock goes."""
    clock = [float(SECOND)]
    monkeypatch.setattr(module, "real_time", lambda: clock[0])
    service = Service(None, Settings())  # type: ignore[arg-type]  # which nothing is asked
    for _ in range(3):
        for status, line in ((200, "200 OK"), (202, "202 Accepted"), (299, "299 ")):
            date = formatdate(int(clock[0]), usegmt=True)
            assert service.start_of(status) == f"HTTP/1.1 {line}\r\ndate: {date}\r\n".encode()
        clock[0] += step


def test_a_second_is_written_once() -> None:
    """For all answers of a status."""
    service = Service(None, Settings())  # type: ignore[arg-type]
    starts = {id(service.start_of(200)) for _ in range(100)}
    assert len(starts) <= 2
