"""Faults as functions: what they are sent as, and that each is one of the server's."""

from typing import Any

import pytest
import requests

import mockserver.testing
from mockserver.engine.fault import LOSING, SPOILING, read_fault
from mockserver.testing import Account, ControlError, fault
from tests.testing.sending import send

FAULTS = [
    pytest.param(fault.delay(seconds=0.5), {"kind": "delay", "seconds": 0.5}, id="delay"),
    pytest.param(fault.delay(uniform=(0, 1.5)), {"kind": "delay", "uniform": [0, 1.5]}, id="uniform"),
    pytest.param(
        fault.delay(lognormal=(0.2, 1)), {"kind": "delay", "lognormal": {"median": 0.2, "sigma": 1}}, id="lognormal"
    ),
    pytest.param(fault.timeout(), {"kind": "timeout"}, id="timeout"),
    pytest.param(fault.reset(times=2), {"kind": "reset", "times": 2}, id="reset"),
    pytest.param(fault.empty(times=None), {"kind": "empty", "times": None}, id="empty"),
    pytest.param(fault.garbage(probability=0.5), {"kind": "garbage", "probability": 0.5}, id="garbage"),
    pytest.param(fault.truncate(seed=7), {"kind": "truncate", "seed": 7}, id="truncate"),
    pytest.param(fault.dribble(), {"kind": "dribble"}, id="dribble"),
    pytest.param(
        fault.dribble(seconds=0, chunks=2), {"kind": "dribble", "seconds": 0, "chunks": 2}, id="dribble-in-chunks"
    ),
    pytest.param(
        fault.malformed(times=3, probability=0, seed=0),
        {"kind": "malformed", "times": 3, "probability": 0, "seed": 0},
        id="malformed",
    ),
]


@pytest.mark.parametrize(("made", "sent"), FAULTS)
def test_a_fault_is_a_plain_dict(made: fault.FaultDict, sent: dict[str, Any]) -> None:
    """It has what was said, nothing of what is so by default, and the server takes it."""
    assert made == sent
    assert read_fault(made).kind == sent["kind"]


def test_every_kind_has_a_function() -> None:
    """What the server knows can be written, and no more."""
    assert {parameter.values[1]["kind"] for parameter in FAULTS} == LOSING | SPOILING  # type: ignore[index]


def test_it_is_imported_either_way() -> None:
    """The module and the name of the package are one."""
    assert mockserver.testing.fault is fault


def test_on_the_wire(account: Account) -> None:
    """Dicts of one's own are valid too; a wrong number is told by the server, with its place."""
    operation = account.polyai.send_sms
    operation.pin(fault=fault.reset(times=2))
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            send(account.polyai)
    with operation.pin("sent", fault={"kind": "delay", "seconds": 0}) as pin:
        assert (send(account.polyai), pin.used) == (202, 1)
    with pytest.raises(ControlError, match=r"from 1 to 1000000 \(at /body/fault/times\)"):
        operation.pin(fault=fault.reset(times=0))
