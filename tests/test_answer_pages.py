"""The pages about the vendors are true: each recipe on them is executed, and gets the answer beside it."""

import asyncio
import re
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from starlette.testclient import TestClient

from mockserver.engine.account import sample
from mockserver.server.application import Application
from mockserver.spec.model import OperationSpec
from mockserver.spec.pointer import MISSING
from tests.answer_pages import VENDORS, contracts, page_file
from tests.evidence import ROOT, Replay, Reply, Sent, load_case
from tests.server.programs import in_process, replays_in

ROW = re.compile(r"^\| ([0-9]{3}) \| `([RPVSA-]{5})` \| (\w+) \| (.*) \|$")
EXCHANGE = re.compile(r"\]\(\.\./(fixtures/[\w/.-]+)\)")
RECIPIENT = re.compile(r"send to `(\+[0-9]+)`")
PREFERENCE = re.compile(r"`Prefer: (example=\w+)`")


@pytest.fixture(scope="module")
def replays(app: Application) -> dict[str, Replay]:
    return replays_in(app)


def rows(vendor: str) -> list[tuple[str, str, str, str]]:
    """Operation, status, answer and recipes of each row of a vendor's page."""
    found, operation = [], ""
    for line in page_file(vendor).read_text("utf-8").splitlines():
        operation = line.removeprefix("## ") if line.startswith("## ") else operation
        if row := ROW.fullmatch(line):
            found.append((operation, row[1], row[3], row[4]))
    return found


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_answer_is_on_its_page(vendor: str) -> None:
    """Each answer of each operation has a row, with a recipe that the test below executes."""
    answers = [answer.id for operation in contracts()[vendor].operations for answer in operation.answers.values()]
    listed = [f"{vendor}.{operation}/{answer}" for operation, _, answer, _ in rows(vendor)]
    assert set(listed) == set(answers)
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("vendor", "operation", "status", "answer", "recipes"),
    [(vendor, *row) for vendor in VENDORS for row in rows(vendor)],
    ids=lambda value: value if len(str(value)) < 30 else "",
)
def test_recipes(  # noqa: PLR0917 -- a row of a page
    vendor: str,
    operation: str,
    status: str,
    answer: str,
    recipes: str,
    client: TestClient,
    app: Application,
    replays: dict[str, Replay],
) -> None:
    """Whatever a row says how to get its answer, is sent, and the answer comes."""
    send, executed = in_process(client), 0
    for file in EXCHANGE.findall(recipes):
        executed += 1
        sent = replays[vendor].prepare(load_case(ROOT / file), send)
        assert_got(send(sent), vendor, operation, status, answer)
    for number in RECIPIENT.findall(recipes):
        executed += 1
        assert_got(send(to(app, vendor, operation, number)), vendor, operation, status, answer)
    for preference in PREFERENCE.findall(recipes):
        executed += 1
        sent = to(app, vendor, operation, None)
        preferring = replace(sent, headers=[*sent.headers, ("Prefer", preference)])
        assert_got(send(preferring), vendor, operation, status, answer)
    assert executed


def assert_got(reply: Reply, vendor: str, operation: str, status: str, answer: str) -> None:
    assert (str(reply.status), reply.headers["x-mock-answer"]) == (status, f"{vendor}.{operation}/{answer}")


def to(app: Application, vendor: str, name: str, number: str | None) -> Sent:
    """The call that ``mockserver curl`` prints, with another recipient where there is a number."""
    contract = next(contract for contract in app.contracts if contract.vendor == vendor)
    accounts = {account.id: account for account in asyncio.run(app.store.accounts())}
    operation = next(o for o in contract.operations if o.spelling == name)
    call = sample(operation, accounts["default"].vendors[vendor], time.time())
    path, body = call.path, call.body
    if number is not None:
        shown = recipient_shown(operation)
        path, body = path.replace(quote_plus(shown), quote_plus(number)), body.replace(shown, number)
        assert (path, body) != (call.path, call.body)
    return Sent(call.method, path, list(call.headers.items()), body.encode())


def recipient_shown(operation: OperationSpec) -> str:
    """The recipient in the examples of an operation's document."""
    assert operation.recipient is not None
    examples = {"query": {p.name: p.example for p in operation.parameters if p.where == "query"}}
    if operation.body is not None:
        examples["body"] = next((media.example for media in operation.body.media.values() if media.example), {})
    value = operation.recipient.at.get(examples)
    assert value is not MISSING
    return str(value)


def test_pages_have_their_vendors_only() -> None:
    """A page for each contract, and none without one."""
    pages = {file.stem for file in Path(ROOT / "contracts").glob("*.md")} - {"README"}
    assert pages == set(VENDORS)
