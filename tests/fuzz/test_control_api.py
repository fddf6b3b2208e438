"""Schemathesis over the control API, its state included, beyond loopback where it needs a token."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import Application, create_app
from mockserver.server.settings import Settings
from tests.fuzz.fuzzing import SHARED, Trial, fuzz

TOKEN = "control-api-token"
OPERATION = "polyai.send_sms"
EXAMPLES = 20  # of each operation
TWO_WAY = Path(__file__).parents[1] / "twoway"  # a vendor that subscribers can write to
RECIPIENT = r"\+[1-9][0-9]{0,14}$"


@pytest.fixture(scope="module")
def guarded() -> Application:
    settings = Settings(host="0.0.0.0", admin_token=TOKEN, contracts=(TWO_WAY,))  # noqa: S104 -- nothing listens
    return create_app(settings)


@pytest.fixture(scope="module")
def document(guarded: Application) -> Any:
    """The served description, narrowed where what is right depends on the server's state or takes time."""
    with TestClient(guarded, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        found = client.get("/_mock/openapi.json").json()
        call = client.get("/nowhere").headers["x-mock-call"]
    found |= {"servers": [{"url": "/"}], "security": [{"Admin": []}]}
    (contract,) = (contract for contract in guarded.contracts if contract.vendor == OPERATION.partition(".")[0])
    (operation,) = (operation for operation in contract.operations if operation.id == OPERATION)
    answers = list(operation.answers)

    paths, schemas = found["paths"], found["components"]["schemas"]
    paths["/_mock/calls/{id}"]["get"]["parameters"][0]["schema"] = {"enum": [call]}
    paths["/_mock/pins/{operation}"]["put"]["parameters"][0]["schema"] = {"enum": [OPERATION]}
    narrow_pins(paths["/_mock/pins"], [OPERATION, f"{contract.vendor}.*", "*"])
    paths["/_mock/calls"]["delete"]["parameters"][1]["schema"] = {"enum": [OPERATION, f"{contract.vendor}.*", "*"]}
    body(paths["/_mock/accounts"]["post"])["properties"]["vendors"] = {"type": "object", "maxProperties": 0}
    limits = body(paths["/_mock/accounts/{id}/limits"]["put"])
    limits |= {"properties": {OPERATION: limits["additionalProperties"]}, "additionalProperties": False}
    pin, expectation = schemas["PinRequest"]["properties"], schemas["Expectation"]["properties"]
    pin["answers"]["items"]["anyOf"][0]["enum"] = ["rules", *answers]
    expectation["answer"]["enum"] = answers
    expectation["vendor"]["enum"] = [contract.vendor]
    expectation["operation"]["enum"] = [OPERATION]
    expectation["recipient"]["pattern"] = f"^({RECIPIENT})"
    for part in ("path", "form"):  # the operation has one path, and takes no form
        del schemas["Where"]["properties"][part]
    pin["where"] = {"properties": {"headers": schemas["Where"]["properties"]["headers"]}, "additionalProperties": False}
    accepted = ("answer", "accepted", "where")  # together they may ask for what only refused calls have
    schemas["Expectation"]["anyOf"] = [{"properties": dict.fromkeys({*accepted} - {name}, False)} for name in accepted]
    narrow_calls(paths, contract.vendor, call)
    narrow_values(paths, contract.vendor)
    narrow_messages(paths)
    schemas["Fault"]["properties"]["uniform"] = {"enum": [[0, 60], [0.5, 0.5]]}  # from least to most
    del expectation["count"]["anyOf"][1]["properties"]["at_least"]  # is not above at_most
    # Changes depend on the answers' bodies. A `when` holds any JSON Schema, hardly a wrong one. The others wait.
    del pin["changes"], pin["when"], pin["course"], schemas["PinRequest"]["anyOf"][2]
    expectation["direction"] = {"enum": ["in"]}  # the operation's
    del expectation["when"], expectation["within"], expectation["settle"]
    return found


def narrow_calls(paths: Any, vendor: str, call: str) -> None:
    """Ask for calls that there can be. Events have no end; tests/server/control/test_events.py asks for them."""
    filters = {"vendor": [vendor], "operation": [OPERATION], "answer": ["sent"], "direction": ["in"]}
    filters = {name: [*values, ""] for name, values in filters.items()}  # an empty one asks nothing
    listing = paths["/_mock/calls"]["get"]
    contrary = {"accepted", "kind"}  # may contradict the answer
    listing["parameters"] = [p for p in listing["parameters"] if p["name"] not in contrary]
    for parameter in listing["parameters"]:
        if parameter["name"] in filters:
            parameter["schema"] = {"enum": filters[parameter["name"]]}
        if parameter["name"] == "recipient":
            parameter["schema"]["pattern"] = f"^({RECIPIENT}|$)"
    del paths["/_mock/events"]
    paths["/_mock/calls/{id}/why"]["get"]["parameters"][0]["schema"] = {"enum": [call]}


def narrow_values(paths: Any, vendor: str) -> None:
    """Ask for a vendor and a credential that there are."""
    for path in ("/_mock/accounts/{id}/tokens/{vendor}/{name}", "/_mock/accounts/{id}/curl/{vendor}"):
        for parameter in paths[path]["parameters"][1:]:
            parameter["schema"] = {"enum": [vendor if parameter["name"] == "vendor" else "ApiKey"]}


def narrow_messages(paths: Any) -> None:
    """Ask about phones, do not wait, and write to who takes messages; a callback to be sent again is seldom there."""
    listing = paths["/_mock/messages"]["get"]
    listing["parameters"] = [p for p in listing["parameters"] if p["name"] not in {"within", "least"}]
    for parameter in listing["parameters"]:
        if parameter["name"] in {"recipient", "phone"}:
            parameter["schema"]["pattern"] = f"^({RECIPIENT}|$)"
        known = {"account": ["default"], "vendor": ["parcel"], "operation": [OPERATION]}
        if parameter["name"] in known:
            parameter["schema"] = {"enum": known[parameter["name"]]}
    message = body(paths["/_mock/inbound"]["post"])["properties"]
    message |= {"account": {"enum": ["default"]}, "vendor": {"enum": ["parcel"]}}
    message["from"]["pattern"] = f"^({RECIPIENT})"
    del message["to"], paths["/_mock/accounts/{id}/callbacks/{call}"]
    paths["/_mock/inbound"]["post"]["requestBody"]["content"]["application/json"]["example"]["vendor"] = "parcel"


def narrow_pins(path: Any, reaches: list[str]) -> None:
    """Leave out what may not be known when pins are listed or removed."""
    for method in ("get", "delete"):
        parameters = path[method]["parameters"]
        del parameters[2]  # an id is known for as long as its pin is
        parameters[1]["schema"] = {"enum": reaches}


def body(operation: Any) -> Any:
    """The schema of an operation's JSON body."""
    return operation["requestBody"]["content"]["application/json"]["schema"]


def test_every_operation(guarded: Application, document: Any, tmp_path: Path) -> None:
    """Each operation does what the description says, in any order, and only for who has the token."""
    file = tmp_path / "schemathesis.toml"
    added = f"max-examples = {EXAMPLES}\n[auth.openapi.Admin]\nbearer = {json.dumps(TOKEN)}\n"
    file.write_text(SHARED.read_text("utf-8") + added, "utf-8")
    report = fuzz(Trial(guarded, document, file))
    assert not report.findings, str(report)
    names = [
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    ]
    assert [name for name in names if not report.accepted[name]] == []
    assert report.linked
