"""Figures for Prometheus: everything that happened is counted once, by names that have a bound."""

import re

from starlette.testclient import TestClient

import mockserver
from mockserver.server.control.metrics import TEXT_FORMAT
from tests.server.acme_customer import Customer

LINE = re.compile(r"mockserver_(\w+)(?:\{(.*)\})? (\S+)")  # as the text format has it


def figures(client: TestClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Each sample by name and labels; every line is one, or says what a metric is, once and before its samples."""
    response = client.get("/_mock/metrics")
    assert response.headers["content-type"] == TEXT_FORMAT
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    said: list[tuple[str, ...]] = []
    for line in response.text.splitlines():
        if line.startswith("# "):
            said.append(tuple(line.split(" ")[1:3]))
            continue
        sample = LINE.fullmatch(line)
        assert sample, line
        assert said[-1] == ("TYPE", f"mockserver_{sample[1]}")
        key = sample[1], frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', sample[2] or ""))
        assert key not in found, f"{line}: twice"
        found[key] = float(sample[3])
    assert len(said) == len(set(said))
    return found


def value(client: TestClient, name: str, **labels: str) -> float:
    return figures(client).get((name, frozenset(labels.items())), 0)


def test_calls_problems_and_faults(customer: Customer) -> None:
    """A call counts by what it was answered, its first problem by kind, and what a fault spoilt by that."""
    operation = {"vendor": "acme", "operation": "acme.send_sms"}
    sent = {**operation, "answer": "acme.send_sms/sent", "accepted": "true"}
    before = value(customer.client, "calls_total", **sent)
    assert customer.send().is_success
    assert value(customer.client, "calls_total", **sent) == before + 1
    problems = {
        kind: value(customer.client, "problems_total", **operation, kind=kind) for kind in ("missing", "invalid")
    }
    assert not customer.send(json={"text": "yes"}).is_success
    assert value(customer.client, "problems_total", **operation, kind="missing") == problems["missing"] + 1
    assert value(customer.client, "problems_total", **operation, kind="invalid") == problems["invalid"]
    pin = {"account": customer.id, "fault": {"kind": "malformed"}}
    customer.client.put("/_mock/pins/acme.send_sms", json=pin).raise_for_status()
    spoilt = value(customer.client, "faults_total", **operation, fault="malformed")
    customer.send()
    assert value(customer.client, "faults_total", **operation, fault="malformed") == spoilt + 1
    strays = value(customer.client, "calls_total", vendor="", operation="", answer="", accepted="false")
    customer.client.get("/nowhere")
    assert value(customer.client, "calls_total", vendor="", operation="", answer="", accepted="false") == strays + 1


def test_what_is_forgotten_stays_counted(customer: Customer) -> None:
    """A counter only rises: calls that are cleared or go with their account count on, what they took does not."""
    sent = {"vendor": "acme", "operation": "acme.send_sms", "answer": "acme.send_sms/sent", "accepted": "true"}
    customer.send()
    size, accounts = value(customer.client, "journal_bytes"), value(customer.client, "accounts")
    before = value(customer.client, "calls_total", **sent)
    customer.client.delete(
        "/_mock/calls", params={"account": customer.id, "operation": "acme.send_sms"}
    ).raise_for_status()
    assert value(customer.client, "calls_total", **sent) == before
    assert value(customer.client, "journal_bytes") < size
    customer.send()
    customer.client.delete(f"/_mock/accounts/{customer.id}").raise_for_status()
    assert value(customer.client, "calls_total", **sent) == before + 1
    assert value(customer.client, "accounts") == accounts - 1


def test_versions_and_nothing_that_names_a_customer(customer: Customer) -> None:
    """Versions are labels; accounts, numbers and credentials are not."""
    customer.send()
    assert value(customer.client, "info", version=mockserver.__version__) == 1
    assert value(customer.client, "contract_info", vendor="acme", version="1") == 1
    text = customer.client.get("/_mock/metrics").text
    assert not re.search(rf"{customer.id}|4155550123|{re.escape(customer.mine['key'])}", text)
    assert {name for _, labels in figures(customer.client) for name, _ in labels} <= {
        *("version", "vendor", "operation", "answer", "accepted", "fault", "kind"),
    }
