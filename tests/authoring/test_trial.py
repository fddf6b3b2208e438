"""Contracts tried: what is right is not complained of, and what is broken is found."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from mockserver.spec.root_schema import root_schema
from mockserver.spec.source import read_yaml
from tests.cli.running import invoke
from tests.evidence import ROOT


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A folder with a new contract and its fixtures."""
    assert invoke("contract", "new", "acme", "--to", tmp_path).exit_code == 0
    return tmp_path


def tried(folder: Path, *more: str) -> tuple[int, str]:
    ended = invoke("contract", "test", "--no-builtin", "--contracts", folder, "--fixtures", folder / "fixtures", *more)
    return ended.exit_code, ended.stdout


def test_a_new_contract(begun: Path) -> None:
    """It passes the check, its exchanges are what they show, and every answer is reached; it is written once."""
    assert invoke("contract", "check", begun / "acme.yaml").exit_code == 0
    assert tried(begun) == (0, "acme: 4 exchanges, 4 answers reached, 0 findings\n")
    assert tried(begun, "--vendor", "other") == (0, "")
    assert invoke("contract", "new", "acme", "--to", begun).exit_code == 2
    assert invoke("contract", "new", "a-b", "--to", begun).exit_code == 2


def test_findings(begun: Path) -> None:
    """An exchange that shows another answer, an example that is refused, and an answer that nothing reaches."""
    case = begun / "fixtures" / "acme" / "send_sms" / "sent.yaml"
    case.write_text(case.read_text("utf-8").replace("status: 202", "status: 200"), "utf-8")
    code, out = tried(begun)
    assert code == 1
    assert f"{case}: /status: expected 200, found 202" in out
    contract = begun / "acme.yaml"
    rules = "x-mock:\n        rules: [{when: {/body/text: {const: Hello}}, answer: invalid}]\n        message:"
    text = contract.read_text("utf-8").replace("x-mock:\n        message:", rules)
    contract.write_text(text, "utf-8")
    (begun / "fixtures" / "acme" / "send_sms" / "invalid.yaml").unlink()
    code, out = tried(begun)
    assert "acme.send_sms: its own example is refused: a rule (acme.send_sms/invalid)" in out


def test_broken_fixtures(begun: Path) -> None:
    """What is no exchange is told with its place, by the check as well."""
    case = begun / "fixtures" / "acme" / "send_sms" / "sent.yaml"
    for text, told in (
        ("about: x\nanswr: y\n", "'answr' is not known here"),
        ("[", "not YAML"),
        ("- a\n", "an exchange is {about"),
        (case.read_text("utf-8").replace("acme.send_sms/sent", "acme.send_sms/snt"), "the contract has no answer"),
        (case.read_text("utf-8").replace("account: default", "account: nobody"), "is not known here; known: default"),
        (case.read_text("utf-8").replace("method: POST", "methd: POST"), "'methd' is not known here"),
    ):
        case.write_text(text, "utf-8")
        fixtures = ("--no-builtin", "--contracts", begun, "--fixtures", begun / "fixtures")
        for command in ("test", "check"):
            ended = invoke("contract", command, *fixtures)
            assert (ended.exit_code, told in ended.stdout) == (1, True), ended.stdout
            assert str(case) in ended.stdout


@pytest.mark.parametrize(
    ("old", "new", "at", "told"),
    [
        ("status: 202", 'status: "202"', "/response/status", "a status is a number of three digits, not '202'"),
        ("status: 202", "headers: {}", "/response", "'status' is missing"),
        ("method: POST", "method: PSOT", "/request/method", "'PSOT' is no method"),
        ("path: /", "path: ", "/request/path", "a path begins with '/'"),
        ("TO", "{default: /nope}", "", "the account default has no /nope"),
        ("TO", "{defalt: /api_key}", "", "unknown form 'defalt': it would be sent as it is; did you mean 'default'?"),
        ("  json:", "  form: {}\n  json:", "", "a request has one body"),
        ("account: default", "account: default\nbefore: [{path: 1}, 2]", "/before", "a list of requests"),
        ("account: default", "account: default\nbefore: [{path: v1}]", "/before/0/path", "a path begins with '/'"),
        ("about: ", "before: 1\nabout: ", "/before", "must be a list of requests"),
        ("TO", "{now: abc}", "", "a number of seconds from now"),
        ("TO", "{token: Nope}", "", "there is no security scheme 'Nope'"),
        ("TO", "{credential: Nope}", "", "there is no security scheme 'Nope'"),
    ],
)
def test_faults_of_exchanges(begun: Path, old: str, new: str, at: str, told: str) -> None:
    """What an exchange sends, shows or stands for is judged before anything is sent."""
    case = begun / "fixtures" / "acme" / "send_sms" / "sent.yaml"
    text = case.read_text("utf-8").replace("'+12025550123'", "TO")
    assert old in text, text
    case.write_text(text.replace(old, new), "utf-8")
    ended = invoke("check", "--no-builtin", "--contracts", begun, "--fixtures", begun / "fixtures")
    assert ended.exit_code == 1
    assert any(str(case) in line and f": {at}" in line and told in line for line in ended.stdout.splitlines())


def test_faults_beside_exchanges(begun: Path) -> None:
    """Folders of nobody and accounts that nothing takes are told, and those of accounts beside those of exchanges."""
    fixtures = begun / "fixtures"
    case = fixtures / "acme" / "send_sms" / "sent.yaml"
    for folder in ("acmee/send_sms", "acme/send_smz"):
        (fixtures / folder).mkdir(parents=True)
        (fixtures / folder / "sent.yaml").write_text(case.read_text("utf-8"), "utf-8")
    (fixtures / "acme" / "accounts.yaml").write_text("default: {}\nthird: {}\nsecond: {nope: 1}\n", "utf-8")
    case.write_text("about: x\n", "utf-8")
    told = invoke("check", "--no-builtin", "--contracts", begun, "--fixtures", fixtures).stdout
    assert "'acmee', and there is no such contract; did you mean 'acme'?" in told
    assert "'send_smz', and there is no such operation; did you mean 'send_sms'?" in told
    assert "accounts.yaml:2:1: /third: only default and second are built in" in told
    assert "accounts.yaml:3:10: /second/nope: is not known here" in told
    assert f"{case}:1:1: /: 'request' is missing" in told
    alone = invoke("check", begun / "acme.yaml", "--fixtures", fixtures).stdout
    assert "acmee" not in alone  # it may be another file's


def test_check_formats(begun: Path) -> None:
    """Wrong and unfinished are two lists; JSON has them as data, GitHub as annotations."""
    contract = begun / "acme.yaml"
    text = contract.read_text("utf-8").replace("- {problem: any, answer: invalid}", "- {problem: method, answer: none}")
    contract.write_text(text, "utf-8")
    plain = invoke("check", contract).stdout
    assert "Not finished, 1 left:" in plain
    assert plain.index("no answer 'none'") < plain.index("problems that can happen but have no answer")
    found = json.loads(invoke("check", contract, "--format", "json").stdout)
    assert {error["unfinished"] for error in found} == {True, False}
    annotations = invoke("check", contract, "--format", "github").stdout.splitlines()
    assert {line.partition(" ")[0] for line in annotations} == {"::error", "::warning"}


def test_import(tmp_path: Path) -> None:
    """The vendors' operations are listed; a chosen one becomes a contract that passes its test at once."""
    spec = tmp_path / "spec.json"
    operation = {"responses": {"200": {"description": "x"}}, "summary": "Send"}
    document = {"openapi": "3.1.0", "info": {}, "paths": {"/a": {"post": operation, "get": operation}}}
    spec.write_text(json.dumps(document), "utf-8")
    assert invoke("contract", "import", spec).stdout.splitlines()[:2] == ["GET /a  Send", "POST /a  Send"]
    folder = tmp_path / "mine"
    wanted = ("--operation", "POST /a", "--vendor", "acme", "--to", folder)
    assert invoke("contract", "import", spec, *wanted).exit_code == 0
    assert tried(folder)[0] == 0
    assert invoke("contract", "import", spec, "--operation", "POST /b").exit_code == 2


def test_root_schema() -> None:
    """Our own contracts fit it; a misspelt word of ours, and the name of our key misspelt, do not."""
    schema = jsonschema_rs.validator_for(json.loads(invoke("contract", "schema").stdout))
    for file in (ROOT / "contracts").glob("*.yaml"):
        document = read_yaml("", file.read_text("utf-8")).value
        assert [error.message for error in schema.iter_errors(document)] == []
    document = read_yaml("", (ROOT / "contracts" / "polyai.yaml").read_text("utf-8")).value
    operation = document["paths"]["/v1/outbound-sms"]["post"]
    operation["x-mock"]["ruls"] = []
    assert not schema.is_valid(document)
    operation["x_mock"] = operation.pop("x-mock")
    assert not schema.is_valid(document)
    assert root_schema()["$defs"]["rule"]["description"]


def test_files_alone(begun: Path) -> None:
    """Files are tried with the fixtures beside them, or with others; no built-in vendor is."""
    file = begun / "acme.yaml"
    ended = invoke("contract", "test", file)
    assert (ended.exit_code, ended.stdout) == (0, "acme: 4 exchanges, 4 answers reached, 0 findings\n")
    empty = begun / "none"
    empty.mkdir()
    ended = invoke("contract", "test", file, "--fixtures", empty, "--no-fuzz")
    assert (ended.exit_code, ended.stdout.splitlines()[0]) == (0, "acme: 0 exchanges, 4 answers reached, 0 findings")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "- {problem: any, answer: invalid}",
            "- {problem: any, answer: sent}",
            "is wrong (",
        ),
        (
            "to: {type: string}}}",
            'to: {type: string, pattern: "^[+]1202"}}}',
            "gets sent, whose body does not fit its schema at /to",
        ),
    ],
    ids=["a bad request is accepted", "an answer that does not fit its schema"],
)
def test_made_up_requests(begun: Path, old: str, new: str, told: str) -> None:
    """What the contract's own example does not show is found by requests that depart from it."""
    file = begun / "acme.yaml"
    text = file.read_text("utf-8").replace('pattern: "^[+][0-9]{7,15}$", ', "")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")
    fixtures = ("--fixtures", begun / "schema")  # no exchanges: they would find it
    ended = invoke("contract", "test", file, *fixtures)
    assert (ended.exit_code, told in ended.stdout) == (1, True), ended.stdout
    assert invoke("contract", "test", file, *fixtures, "--no-fuzz").exit_code == 0


def test_made_up_forms(begun: Path) -> None:
    """A form, and values in the query, are departed from too."""
    file = begun / "acme.yaml"
    text = file.read_text("utf-8").replace(
        "application/json:\n            schema:\n", "application/x-www-form-urlencoded:\n            schema:\n"
    )
    query = "      parameters: [{name: mode, in: query, schema: {enum: [a, b]}, example: a}]\n      requestBody:"
    file.write_text(text.replace("      requestBody:", query, 1), "utf-8")
    assert invoke("contract", "test", file, "--fixtures", begun / "schema").exit_code == 0


SCHEMES = """\
  securitySchemes:
    Key: {type: apiKey, in: header, name: X-Api-Key, x-mock: {accept: {equals: /account/api_key}}}
    Token:
      type: http
      scheme: bearer
      x-mock:
        accept: {jwt: {find: {claim: app, equals: /account/apps/id}, key: secret, algorithms: [HS256], roles: may}}
"""


@pytest.mark.parametrize("role", ["send", "read"])
def test_every_way_to_prove_who_one_is(begun: Path, role: str) -> None:
    """The customer's own credentials are tried by each alternative: a refused one is an error at its operation."""
    file = begun / "acme.yaml"
    text = file.read_text("utf-8")
    text = text[: text.index("  securitySchemes:")] + SCHEMES
    text = text.replace("security: [{Key: []}]", "security: [{Key: []}, {Token: [send]}]")
    text = text.replace(
        "    api_key:", f"    apps: [{{id: {{new: uuid}}, secret: {{new: token}}, may: [{role}]}}]\n    api_key:"
    )
    text = text.replace(
        "    - {problem: unauthenticated",
        "    - {problem: forbidden, answer: unauthorized}\n    - {problem: unauthenticated",
    )
    file.write_text(text, "utf-8")
    ended = invoke("contract", "check", file)
    if role == "send":
        assert ended.exit_code == 0, ended.stdout
        assert invoke("contract", "test", file).exit_code == 0
        return
    told = "/paths/~1messages/post: acme.send_sms: the customer's own Token is refused: forbidden"
    assert (ended.exit_code, told in ended.stdout) == (1, True), ended.stdout
    assert ended.stdout.startswith(f"{file}:")
    assert "the customer's own Token is refused" in invoke("contract", "test", file).stdout
