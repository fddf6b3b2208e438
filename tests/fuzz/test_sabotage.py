"""Servers and contracts broken on purpose: the checks of this folder catch each, and for its own reason."""

import http.client
from pathlib import Path
from typing import Any

import pytest

from mockserver.engine.account import AccountData
from mockserver.server.application import Application, create_app
from mockserver.server.build import contracts_folder, fixtures_folder
from mockserver.server.settings import Settings
from mockserver.spec.errors import ContractErrors
from mockserver.spec.load import load_contracts
from tests.fuzz import faulty_servers
from tests.fuzz.fuzzing import Trial, command_line, first_path, fuzz, trial, ways
from tests.fuzz.test_negatives import bad_requests, bench_of, complaints
from tests.live import PATIENCE, served

WAYS = {way.contract.vendor: way for way in reversed(ways())}


DEFECTS: dict[faulty_servers.Defect, tuple[str, str]] = {
    faulty_servers.crashes: (
        "polyai",
        "documented_answer missing_required_header negative_data_rejection not_a_server_error",
    ),
    faulty_servers.invents: ("polyai", "documented_answer negative_data_rejection status_code_conformance"),
    faulty_servers.hides_methods: ("polyai", "unsupported_method"),
    faulty_servers.takes_every_method: ("polyai", "documented_answer unsupported_method"),
    faulty_servers.talks: ("polyai", "undocumented_body"),
    faulty_servers.lets_in: ("polyai", "ignored_auth missing_required_header negative_data_rejection"),
    faulty_servers.lets_in_by_body: (
        "voximplant",
        "documented_answer ignored_auth missing_required_header negative_data_rejection",
    ),
    faulty_servers.takes_anything: ("polyai", "missing_required_header negative_data_rejection"),
    faulty_servers.forgets_a_header: ("polyai", "response_headers_conformance"),
    faulty_servers.speaks_plainly: ("polyai", "content_type_conformance documented_answer"),
    faulty_servers.says_nothing: ("polyai", "documented_answer response_schema_conformance"),
    faulty_servers.rewords: ("polyai", "documented_answer"),
    faulty_servers.refuses_all: ("polyai", "positive_data_acceptance"),
}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.__name__)
def test_servers(defect: faulty_servers.Defect, app: Application, default: AccountData, tmp_path: Path) -> None:
    """Exactly these checks fail."""
    vendor, caught = DEFECTS[defect]
    report = fuzz(quick(faulty_servers.FaultyServer(app, defect), default, vendor, tmp_path))
    assert report.checks == set(caught.split()), str(report)


def quick(app: Any, account: AccountData, vendor: str, folder: Path) -> Trial:
    """Few examples: what is broken on purpose is found soon."""
    return first_path(trial(app, account, WAYS[vendor], folder, examples=5))


UNREADABLE = "value: {detail: Request body is not valid JSON.}"
NO_SECURITY = [("security:\n  - ApiKey: []\n", ""), *[("      security: [{ConversationKey: []}]\n", "")] * 4]
REFUSED: dict[str, tuple[list[tuple[str, str]], str]] = {
    "empty-answer-with-content": (
        [
            (
                "          x-mock:\n            name: sent",
                "          content: {application/json: {schema: {type: object}}}\n"
                "          x-mock:\n            name: sent",
            )
        ],
        "'examples' is missing",
    ),
    "problem-without-answer": ([("- {problem: too_large, answer: too_large}\n", "\n")], "no answer: too_large"),
    "rule-that-hides-others": (
        [("rules:\n", "rules:\n          - {problem: any, answer: invalid}\n")],
        "never reachable",
    ),
    "rule-of-no-answer": ([("answer: too_large}", "answer: too_big}")], "no answer 'too_big'"),
    "example-beside-its-schema": (
        [("value: {detail: Invalid body.}", "value: {detail: 7}")],
        "does not fit its schema",
    ),
    "answer-without-evidence": (
        [("name: sent\n            evidence: {", "name: sent\n            given: {")],
        "'evidence' is a required property",
    ),
    "header-that-nobody-fills": (
        [
            (
                f"{UNREADABLE}\n                  x-mock: {{evidence: *table, fill: *fill}}",
                f"{UNREADABLE}\n                  x-mock: {{evidence: *table}}",
            )
        ],
        "required but has neither",
    ),
    "no-security": (NO_SECURITY, "no operation can meet it"),
}


@pytest.mark.parametrize(("edits", "message"), REFUSED.values(), ids=REFUSED)
def test_contracts_that_contradict_themselves(edits: list[tuple[str, str]], message: str, tmp_path: Path) -> None:
    """They are refused when they are read, for this fault."""
    with pytest.raises(ContractErrors) as caught:
        load_contracts([broken("polyai", edits, tmp_path)])
    assert [fault for fault in caught.value.errors if message in fault.message], caught.value


def broken(vendor: str, edits: list[tuple[str, str]], folder: Path) -> Path:
    """A built-in contract with some text exchanged."""
    text = (contracts_folder() / f"{vendor}.yaml").read_text("utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / f"{vendor}.yaml"
    file.write_text(text, "utf-8")
    return file


WRONG = {
    "success-for-bad-data": (
        [("- {problem: [missing, invalid], answer: invalid}", "- {problem: [missing, invalid], answer: sent}")],
        "negative_data_rejection",
    ),
    "no-security": (
        [
            *NO_SECURITY,
            ("    - {problem: unauthenticated, answer: unauthorized}\n", ""),
        ],
        "ignored_auth missing_required_header negative_data_rejection",
    ),
    "header-made-optional": (
        [("          required: true\n          description: Connector ID", "          description: Connector ID")],
        "missing_required_header negative_data_rejection",
    ),
    "other-status": ([('"404":', '"410":')], "documented_answer negative_data_rejection status_code_conformance"),
    "other-words": ([("{detail: Connector not found.}", "{detail: No such connector.}")], "documented_answer"),
    "other-evidence": (
        [('X-PolyAI-Correlation-Id"}\n', 'X-PolyAI-Correlation-Id"}\n                  status: {assumed: A guess.}\n')],
        "documented_answer",
    ),
}


@pytest.mark.parametrize(("edits", "caught"), WRONG.values(), ids=WRONG)
def test_contracts_that_say_something_else(
    edits: list[tuple[str, str]], caught: str, default: AccountData, tmp_path: Path
) -> None:
    """A server of such a contract fails exactly these checks of the true one."""
    server = server_of(broken("polyai", edits, tmp_path))
    report = fuzz(quick(server, default, "polyai", tmp_path))
    assert report.checks == set(caught.split()), str(report)


def server_of(file: Path) -> Application:
    """A server of the contracts in a file's folder, with the built-in accounts."""
    return create_app(Settings(contracts=(file.parent,), fixtures=(fixtures_folder(),), builtin=False))


def test_one_character_too_many(default: AccountData, tmp_path: Path) -> None:
    """A limit that is one too high."""
    server = server_of(broken("voximplant", [("maxLength: 765", "maxLength: 766")], tmp_path))
    assert accepted(server, "voximplant", default) == {"sms_body 'xxxxxxxxx'", "sms_body 'xxxxxxxxx', in a form"}


def test_something_after_a_number(default: AccountData, tmp_path: Path) -> None:
    """A pattern without its end."""
    server = server_of(broken("polyai", [("{1,14}$", "{1,14}")], tmp_path))
    found = accepted(server, "polyai", default)
    assert {ending for ending in (r'\n"}', r'\u0663"}') for what in found if ending in what} == {r'\n"}', r'\u0663"}'}


def test_parameters_given_twice(app: Application, default: AccountData) -> None:
    """A server that does not see it."""
    names = {"source", "destination", "sms_body", "store_body"}
    assert accepted(faulty_servers.Forgiving(app, repeats=True), "voximplant", default) == {
        f"{name} twice" for name in names
    }


def test_other_media_types(app: Application, default: AccountData) -> None:
    """A server that reads anything as JSON."""
    found = accepted(faulty_servers.Forgiving(app, types=True), "polyai", default)
    assert {"no Content-Type", "text/plain", "application/xml"} <= found


def accepted(server: Any, vendor: str, account: AccountData) -> set[str]:
    """The bad requests that a server of a vendor's send operation does not refuse."""
    contract = WAYS[vendor].contract
    (operation,) = (operation for operation in contract.operations if operation.spelling == "send_sms")
    with served(server) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        bench = bench_of(connection, contract, operation, account)
        found = complaints(bench, bad_requests(bench))
        connection.close()
    return set(found)


def test_command_line_warns(app: Application, default: AccountData, tmp_path: Path) -> None:
    """A server that refuses all is found by the command line's warnings alone."""

    def refuses(status: int, headers: faulty_servers.Headers, body: bytes) -> tuple[int, faulty_servers.Headers, bytes]:
        if status == 204:
            return status, headers, body
        refused = {**headers, b"x-mock-answer": b"koreai.send_sms/unauthorized", b"x-mock-evidence": b"sibling"}
        return 401, refused, b'{"errors":[{"msg":"Invalid SDK credentials","code":4002}]}'

    tried = trial(faulty_servers.FaultyServer(app, refuses), default, WAYS["koreai"], tmp_path)
    tried.file.write_text(tried.file.read_text("utf-8").replace('["2xx"]', '["2xx", "401"]'), "utf-8")
    with served(tried.app) as port:
        run = command_line(tried, port)
    assert run.returncode == 1
    assert "Warnings fail the run" in run.stdout
