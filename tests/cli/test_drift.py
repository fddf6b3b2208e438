"""``mockserver drift``: what it prints, what it proposes, and what it sends to whom."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result
from starlette.testclient import TestClient

from mockserver.cli import cli
from mockserver.server.application import create_app
from mockserver.server.drift.forwarding import forward_real
from mockserver.server.drift.recording import RecordingFile
from mockserver.server.drift.upstream import Origin, Upstream
from mockserver.server.settings import Settings
from mockserver.spec.load import load_contracts
from mockserver.spec.source import read_yaml
from tests.cli.running import invoke
from tests.evidence import ROOT, Replay, complaints, load_case
from tests.live import PATIENCE, served
from tests.server.drift.upstream import (
    DEPOT,
    DEPOT_CONTRACT,
    GUIDES_HOST,
    HERE,
    OURS,
    VENDORS,
    Pair,
    Vendor,
    altered,
    commands_of,
    instances,
    real_cases,
    write_real_yaml,
)
from tests.server.programs import in_process

TAKEN = {"to": "+12025550199", "weight": 5}
NO_WEIGHT = {"to": "+12025550199"}
NOBODYS_KEY = b"polyai-nobody-api-key-000000000000000000x"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with instances(tmp_path_factory.mktemp("drift")) as both:
        yield both


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a contract and its fixtures, as a user has them."""
    shutil.copytree(HERE / "contracts", tmp_path / "contracts")
    shutil.copytree(HERE / "fixtures", tmp_path / "fixtures")
    return tmp_path


def drift(project: Path, *args: str | Path) -> Result:
    return invoke("drift", *args, "--contracts", project / "contracts", "--fixtures", project / "fixtures")


def recorded(pair: Pair, project: Path, changes: dict[str, str], *bodies: object, **headers: str) -> Path:
    """The file that calls with these bodies leave, where the real vendor's contract is changed so."""
    folder = project / "altered"
    folder.mkdir()
    before, pair.stage.app = pair.stage.app, altered(changes, pair.accounts, folder)
    for body in bodies:
        pair.send(pair.parcel(body, **headers))
    pair.stage.app = before
    file = project / "real-calls.jsonl"
    pair.recording.replace(file)
    return file


def applied(project: Path, output: str) -> None:
    """Apply what a command prints, as a user does: the words before a patch are no part of it."""
    subprocess.run(["git", "apply", "-"], input=output, text=True, cwd=project, check=True, timeout=60)


def test_nothing_departs(pair: Pair, project: Path) -> None:
    """An unaltered vendor gives no departure and exit code 0; what was assumed is shown now, and can be recorded."""
    file = recorded(pair, project, {}, TAKEN, TAKEN)
    result = drift(project, file)
    assert result.exit_code == 0
    assert result.stdout.startswith("2 calls to http://127.0.0.1:")
    assert ": 0 departures from the contract\n" in result.stdout
    assert "| depot.send/taken | headers, text | 2 |" in result.stdout


def test_table(pair: Pair, project: Path) -> None:
    """Each departure has one line, however often it came, with the contract's own grade; the exit code is 1."""
    file = recorded(pair, project, {"Weight is missing": "How | heavy?"}, NO_WEIGHT, NO_WEIGHT)
    result = drift(project, file)
    assert result.exit_code == 1
    row = (
        '| depot.send/weight_missing | text | /body/error/text | "Weight is missing" | "How \\| heavy?" | assumed | 2 |'
    )
    assert row in result.stdout.splitlines()


def test_patch(pair: Pair, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The patch is applied as it is printed; then the contract has the real words, their date, and so has a fixture."""
    monkeypatch.chdir(project)
    file = recorded(pair, project, {"Weight is missing": "How heavy?", "state: taken": "state: held"}, NO_WEIGHT, TAKEN)
    applied(project, drift(project, file).stdout)
    (contract,) = load_contracts([project / "contracts" / DEPOT_CONTRACT.name])
    answers = contract.operations[0].answers
    assert answers["weight_missing"].sample == {"error": {"code": 2, "text": "How heavy?"}}
    assert answers["taken"].sample["state"] == "held"
    assert answers["taken"].sample["number"] == 9001  # filled in, and so left as it was
    graded = [part for name in ("taken", "weight_missing") for part in answers[name].evidence.parts.values()]
    assert {part.grade for part in graded if part is not None} == {"recorded"}
    assert "# behind them" in (project / "contracts" / DEPOT_CONTRACT.name).read_text("utf-8")
    app = create_app(Settings(builtin=False, contracts=(project / "contracts",), fixtures=(project / "fixtures",)))
    default = asyncio.run(app.store.account("default"))
    assert default is not None
    replay = Replay(contract, {"default": default}, app.state.mock.sources.now)
    with TestClient(app, base_url="http://localhost") as client:
        cases = sorted((project / "fixtures" / DEPOT / "send").glob("real_*.yaml"))
        assert [case.stem for case in cases] == ["real_taken", "real_weight_missing"]
        for case in map(load_case, cases):
            reply = in_process(client)(replay.request(case))
            assert complaints(case, replay, reply) == []
            assert client.get(f"/_mock/calls/{reply.headers['x-mock-call']}").json()["account"] == case["account"]


Copy = Callable[[str], Path]


@pytest.fixture
def built_in(tmp_path: Path) -> Copy:
    """Makes a folder with a built-in contract and its fixtures, as who changes it has them."""

    def make(vendor: str) -> Path:
        (tmp_path / "contracts").mkdir()
        shutil.copy(ROOT / "contracts" / f"{vendor}.yaml", tmp_path / "contracts")
        shutil.copytree(ROOT / "fixtures" / vendor, tmp_path / "fixtures" / vendor)
        return tmp_path

    return make


def of_vendor(project: Path, pair: Pair) -> Result:
    """What ``drift`` says of the calls since it was asked last."""
    file = project / "real-calls.jsonl"
    pair.recording.replace(file)
    return drift(project, file, "--no-builtin")


@pytest.mark.parametrize("vendor", VENDORS)
def test_fixtures_hold(pair: Pair, built_in: Copy, vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is called, the patch is a contract, the fixtures hold, and nothing in them is the customer's."""
    project = built_in(vendor)
    monkeypatch.chdir(project)
    for _, sent in real_cases(pair, vendor):
        pair.send(sent)
    result = of_vendor(project, pair)
    assert result.exit_code == 0
    assert "a patch of it breaks" not in result.stdout
    untold = [line for line in result.stdout.splitlines() if "no fixture of it" in line]
    assert [line for line in untold if not re.search("too long|rate_limited", line)] == []
    assert [text for text in texts_of(pair.customer.vendors[vendor]) if text in result.stdout] == []
    applied(project, result.stdout)
    tried = invoke(
        "contract", "test", "--vendor", vendor, "--no-fuzz",
        "--no-builtin", "--contracts", project / "contracts", "--fixtures", project / "fixtures",
    )  # fmt: skip
    assert tried.stdout.splitlines()[0].endswith(" 0 findings"), tried.stdout
    assert len(list((project / "fixtures" / vendor).glob("*/real_*.yaml"))) > 3


def texts_of(value: Any) -> Iterator[str]:
    """The longer texts in a customer's data."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_of(item)
    elif isinstance(value, str) and len(value) > 7 and " " not in value and not value.startswith("http"):
        yield value


GOOD = {"X-PolyAi-Auth-Token": "MY-KEY", "X-TOKEN-ID": "CONNECTOR-0", "Content-Type": "application/json"}
TO = '{"user_number": "+12025550199"'
OTHERS_ID = "0b5b0e3c-8f5a-4f0e-9a53-0d2f2f6f0c11"
CAUSES = {  # by answer what is not as in a good call, and what the fixture has
    "unreadable": ({}, f'{TO}, "agent_number": "NUMBER-0" oops', "text:"),
    "wrong_content_type": ({"Content-Type": "text/plain"}, "Hi from NUMBER-0", "content-type: text/plain"),
    "bad_number": ({}, f'{TO}, "agent_number": "abc"}}', "agent_number: aaa"),
    "number_not_provisioned": ({}, f'{TO}, "agent_number": "+13015550177"}}', "agent_number: '+10000000000'"),
    "no_numbers": ({"X-TOKEN-ID": "CONNECTOR-1"}, f"{TO}}}", "x-token-id: {default: /connectors/1/id}"),
    "connector_not_found": ({"X-TOKEN-ID": OTHERS_ID}, f"{TO}}}", "x-token-id: 0a0a0a0a-8a0a-4a0a-9a00-0a0a0a0a0a00"),
    "unauthorized": ({"X-PolyAi-Auth-Token": "other"}, "{}", "x-polyai-auth-token: not-a-credential"),
}


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("answer", CAUSES)
def test_what_was_the_cause_stays(pair: Pair, built_in: Copy, answer: str, is_known: bool) -> None:
    """The value that was refused is as wrong in the fixture; others are the default account's, whoever has called."""
    changes, body, written = CAUSES[answer]
    polyai = pair.customer.vendors["polyai"]
    with passing_on(pair, is_known=is_known) as url:
        requests.post(
            f"{url}/v1/outbound-sms",
            headers={name: filled(value, polyai) for name, value in (GOOD | changes).items()},
            data=filled(body, polyai),
            timeout=PATIENCE,
        )
    shown = of_vendor(built_in("polyai"), pair).stdout
    assert f"/polyai/send_sms/real_{answer}.yaml" in shown
    assert written in shown
    assert [text for text in (*texts_of(polyai), "12025550199", "13015550177", OTHERS_ID) if text in shown] == []


def filled(text: str, polyai: Any) -> str:
    """A text with the customer's own values."""
    text = text.replace("MY-KEY", polyai["api_key"]).replace("NUMBER-0", polyai["connectors"][0]["numbers"][0])
    return text.replace("CONNECTOR-0", polyai["connectors"][0]["id"]).replace(
        "CONNECTOR-1", polyai["connectors"][1]["id"]
    )


@contextmanager
def passing_on(pair: Pair, *, is_known: bool) -> Iterator[str]:
    """The address of a server that passes calls on, and knows the customer or does not."""
    if is_known:
        yield pair.url
        return
    app = create_app(OURS)
    forward_real(app, {"polyai": Upstream(Origin("http", "127.0.0.1", pair.port))}, RecordingFile(pair.recording))
    with served(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_ids_in_the_path(pair: Pair, built_in: Copy, is_known: bool) -> None:
    """What the path names is not the customer's in the fixture, whether the contract calls it owned or not."""
    polyai = pair.customer.vendors["polyai"]
    project = polyai["connectors"][0]["project"]
    path = f"/v3/{polyai['account_id']}/{project}/conversations"
    with passing_on(pair, is_known=is_known) as url:
        requests.get(url + path, headers={"X-API-KEY": polyai["api_key"]}, timeout=PATIENCE)
    shown = of_vendor(built_in("polyai"), pair).stdout
    assert "+  path: /v3/{account_id}/{project_id}/conversations" in shown
    assert "account_id: {default: /account_id}" in shown
    assert [text for text in (project, polyai["account_id"]) if text in shown] == []


def test_an_id_in_the_answer(pair: Pair, project: Path) -> None:
    """A sample of the contract has nobody's value where the real answer has the customer's."""
    dock = pair.customer.vendors[DEPOT]["docks"][0]["number"]
    body = json.dumps({"error": {"code": 2, "text": f"Not at {dock}"}}).encode()
    real_calls_of(pair, project, Vendor(400, [(b"content-type", b"application/json")], body))
    proposed = drift(project, project / "real-calls.jsonl").stdout.partition("\n--- ")[2]
    assert "text: Not at +" in proposed
    assert dock not in proposed


def real_calls_of(pair: Pair, project: Path, vendor: Vendor) -> None:
    """Record what this vendor answers to a parcel without weight."""
    before, pair.stage.app = pair.stage.app, vendor
    pair.send(pair.parcel(NO_WEIGHT))
    pair.stage.app = before
    pair.recording.replace(project / "real-calls.jsonl")


@pytest.mark.parametrize(
    ("real", "told"),
    [
        (
            Vendor(400, [(b"content-type", b"text/plain")], b"x" * 3_000_000),
            "depot.send/weight_missing: no fixture of it: /response/body_base64 is too long to be recorded",
        ),
        (
            Vendor(400, [(b"content-type", b"text/plain")], b"How heavy?"),
            'depot.send/weight_missing: no fixture of it: /text: expected "How heavy?", found',
        ),
        (Vendor(503, [], b"Later"), "depot.send: status /status: the contract has no such answer, the vendor 503"),
        (
            Vendor(400, [(b"content-type", b"text/plain")], b"How heavy?"),
            "}, shape: {page: Errors}, text: {assumed: Guessed.}}",
        ),
    ],
)
def test_no_fixture(pair: Pair, project: Path, real: Vendor, told: str) -> None:
    """A fixture that would not hold is not proposed: what it is about is told, in few words."""
    real_calls_of(pair, project, real)
    shown = drift(project, project / "real-calls.jsonl").stdout
    assert told in shown
    assert "/real_" not in shown
    assert len(shown) < 10_000


def test_what_operations_share(pair: Pair, built_in: Copy) -> None:
    """One sample cannot be what two operations answer otherwise: that is told, and the sample left as it is."""
    before = pair.stage.app
    for path, words in (("/v1/messages.json", "Unauthorized"), ("/api/v2/sms/opt-status", "You?")):
        body = json.dumps({"success": False, "errors": [words]}).encode()
        pair.stage.app = Vendor(401, [(b"content-type", b"application/json; charset=utf-8")], body)
        requests.get(pair.url + path, timeout=PATIENCE)
    pair.stage.app = before
    shown = of_vendor(built_in("avaamo"), pair).stdout
    assert "errors: ['You?']} (other answers, which differ, share what stands there)" in shown
    assert "list_messages/real_unauthorized.yaml" in shown
    assert "avaamo.list_opt_statuses/unauthorized: no fixture of it" in shown


def test_a_corrected_contract(pair: Pair, project: Path) -> None:
    """Fixtures are tried against the contract as its corrections make it."""
    overlay = {
        "overlay": "1.0.0",
        "info": {"title": "Depot", "version": "1"},
        "actions": [{"target": "$.paths['/parcels'].post.requestBody", "update": {"required": False}}],
    }
    (project / "contracts" / "depot.overlay.yaml").write_text(json.dumps(overlay), "utf-8")
    shown = drift(project, recorded(pair, project, {"Weight is missing": "How heavy?"}, NO_WEIGHT)).stdout
    assert "real_weight_missing.yaml" in shown


def test_patch_of_files_elsewhere(pair: Pair, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No path of a patch leads up, since nothing applies such a one: it says in which folder it is applied."""
    (project / "reports").mkdir()
    monkeypatch.chdir(project / "reports")
    shown = drift(project, recorded(pair, project, {"Weight is missing": "How heavy?"}, NO_WEIGHT)).stdout
    assert "../" not in "".join(line for line in shown.splitlines() if line.startswith(("---", "+++")))
    assert f"To be applied in {project}:" in shown.splitlines()
    applied(project, shown)
    assert "How heavy?" in (project / "contracts" / DEPOT_CONTRACT.name).read_text("utf-8")


def test_patch_of_json(pair: Pair, project: Path) -> None:
    """A contract that is written in JSON stays that."""
    yaml_file = project / "contracts" / DEPOT_CONTRACT.name
    json_file = yaml_file.with_suffix(".json")
    json_file.write_text(json.dumps(read_yaml("depot", yaml_file.read_text("utf-8")).value, indent=2), "utf-8")
    yaml_file.unlink()
    file = recorded(pair, project, {"Weight is missing": "How heavy?"}, NO_WEIGHT)
    shown = drift(project, file).stdout
    added = [line[1:].strip() for line in shown.splitlines() if line.startswith("+ ")]
    assert '"value": {"error": {"code": 2, "text": "How heavy?"}},' in added
    assert "by hand" not in shown


def test_by_hand(pair: Pair, project: Path) -> None:
    """What no patch of a sample mends is told in words: a status, a header, evidence that several answers share."""
    file = recorded(pair, project, {'"400":': '"422":', "example: north": "example: south"}, NO_WEIGHT, TAKEN)
    pair.recording.touch()
    result = drift(project, file)
    assert "- depot.send/weight_missing: status /status: the contract has 400, the vendor 422" in result.stdout
    assert '- depot.send/taken: headers /header/x-depot: the contract has "north", the vendor "south"' in result.stdout


def test_filled_values_by_hand(pair: Pair, project: Path) -> None:
    """A departure of a value that is filled in is no matter of the sample."""
    file = recorded(pair, project, {"/body/id: {new: uuid}": "/body/id: {new: timestamp}"}, TAKEN)
    assert "- depot.send/taken: shape /body/id: the contract has a new uuid, the vendor" in drift(project, file).stdout


def test_fixture_of_text(pair: Pair, project: Path) -> None:
    """An answer that is plain text is one in its fixture, and so is its evidence."""
    file = recorded(pair, project, {}, {**TAKEN, "dock": pair.customer.vendors[DEPOT]["docks"][1]["number"]})
    shown = drift(project, file).stdout
    assert "+response: {status: 403, text: Closed}" in shown
    assert "+  json:" in shown
    assert "12025550199" not in shown  # nobody's number is written into a fixture


def test_fixture_of_a_form(pair: Pair, project: Path) -> None:
    """A form's fields are the default account's, as its credentials are."""
    voximplant = pair.customer.vendors["voximplant"]
    form = {
        "account_id": voximplant["account_id"],
        "api_key": voximplant["api_key"],
        "source": voximplant["numbers"][3]["number"],
        "destination": "447443332212",
        "sms_body": "Hi",
    }
    requests.post(f"{pair.url}/platform_api/SendSmsMessage", form, timeout=PATIENCE)
    file = project / "real-calls.jsonl"
    pair.recording.replace(file)
    shown = invoke("drift", file).stdout
    assert "| voximplant.send_sms/insufficient_money | trigger | 1 |" in shown
    assert "default: /api_key" in shown
    assert voximplant["api_key"] not in shown


def test_shared_evidence(pair: Pair, project: Path) -> None:
    """Evidence that stands for other answers' too is left to the user, who is told what to write."""
    file = recorded(pair, project, {"Who are you?": "Go away."}, TAKEN, X_Key="nobody's")
    result = drift(project, file)
    assert "- depot.send/unauthorized: evidence: {default: {recorded:" in result.stdout
    assert "other answers share what stands there now" in result.stdout


def test_a_patch_that_is_not_enough(pair: Pair, project: Path) -> None:
    """What the contract lacks once it is patched is told, and no patch is proposed for that answer."""
    file = recorded(
        pair, project, {"{error: {code: 2, text: Weight is missing}}": "{error: {code: 2}, more: []}"}, NO_WEIGHT
    )
    text = (project / "contracts" / DEPOT_CONTRACT.name).read_text("utf-8")
    strict = text.replace(
        "properties: {error: {type: object}}}", "properties: {error: {type: object}}, additionalProperties: false}"
    )
    assert strict != text
    (project / "contracts" / DEPOT_CONTRACT.name).write_text(strict, "utf-8")
    said = drift(project, file).stdout
    assert ": a patch of it breaks the contract: the example does not fit its schema" in said
    assert f"--- a/contracts/{DEPOT_CONTRACT.name}" not in said


def test_nothing_secret_is_shown(pair: Pair, project: Path) -> None:
    """Neither the file nor what is printed has a credential."""
    key = pair.customer.vendors[DEPOT]["api_key"]
    file = recorded(pair, project, {"Weight is missing": f"Not with {key}"}, NO_WEIGHT)
    assert key not in file.read_text("utf-8")
    result = drift(project, file)
    assert "Not with ***" in result.stdout
    assert key not in result.stdout


@pytest.mark.parametrize("text", ["{}", "[]", "no JSON", '{"format": 2}'])
def test_another_file(project: Path, text: str) -> None:
    """A file that holds something else is a mistake in one line, with the line's number."""
    file = project / "other"
    file.write_text(f"\n{text}\n", "utf-8")
    result = drift(project, file)
    assert (result.exit_code, result.stderr) == (
        2,
        f"mockserver: {file}:2: is no call of a real vendor as serve records it\n",
    )


def test_a_line_that_is_cut_off(pair: Pair, project: Path) -> None:
    """What a server had not written to the end when it was killed is left out, and said, where another goes on, too."""
    line = recorded(pair, project, {}, TAKEN).read_text("utf-8")
    file = project / "killed.jsonl"
    for cut in (line[: len(line) // 2], line[:5]):
        file.write_text(line + cut, "utf-8")
        RecordingFile(file)
        RecordingFile(file)
        file.write_text(file.read_text("utf-8") + line, "utf-8")
        result = drift(project, file)
        assert (result.exit_code, result.stdout[:8]) == (0, "2 calls ")
        assert result.stderr == f"{file}:2: is cut off, and left out: a server was ended while it wrote it\n"


def test_what_holds_no_calls_is_told_in_a_line(project: Path) -> None:
    """A pipe that nobody writes to, a device without an end, and brackets without one."""
    pipe, deep = project / "pipe", project / "deep"
    os.mkfifo(pipe)
    deep.write_text("[" * 200_000, "utf-8")
    for file in (pipe, Path("/dev/zero")):
        result = drift(project, file)
        assert (result.exit_code, result.stderr) == (2, f"mockserver: cannot use {file}: it is no regular file\n")
    result = drift(project, deep)
    told = f"mockserver: {deep}:1: is no call of a real vendor as serve records it\n"
    assert (result.exit_code, result.stderr) == (2, told)
    with pytest.raises(OSError, match="no regular file"):
        RecordingFile(pipe)


def test_an_empty_file(project: Path) -> None:
    """So is a file without calls, and none at all."""
    file = project / "empty"
    file.touch()
    assert drift(project, file).stderr == f"mockserver: {file} has no call of a real vendor yet\n"
    assert "name a FILE of real calls" in drift(project).stderr
    assert "No such file" in drift(project, project / "none").stderr


@pytest.fixture
def user(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who stands in a folder with real.yaml; where the guide's host is, for them."""
    monkeypatch.chdir(tmp_path)
    write_real_yaml(pair, tmp_path)
    return f"http://127.0.0.1:{pair.port}"


@pytest.mark.parametrize("command", commands_of("against"), ids=len)
def test_the_guides_replay(user: str, command: list[str]) -> None:
    """What the guide says of replaying fixtures works as it is written."""
    result = invoke(*[word.replace(GUIDES_HOST, user) for word in command], "--yes")
    assert result.exit_code == 0, result.output
    assert ": 0 departures from the contract" in result.stdout


class TestAgainst:
    """Fixtures replayed at a real vendor."""

    @pytest.fixture
    def url(self, pair: Pair) -> str:
        received(pair)
        pair.stage.seen.clear()
        return f"http://127.0.0.1:{pair.port}"

    def test_without_a_customer(self, pair: Pair, url: str, tmp_path: Path) -> None:
        """Only what has no credential of anybody is sent, and recorded where a file is named."""
        result = invoke("drift", tmp_path / "calls", "--against", f"polyai={url}", "--yes")
        assert result.exit_code == 0, result.output
        assert {call["call"]["response"]["status"] for call in lines(tmp_path / "calls")} <= {401, 405}
        sent = [dict(scope["headers"]) for scope in pair.stage.seen]
        assert len(sent) == len(lines(tmp_path / "calls")) > 1
        assert {headers.get(b"x-polyai-auth-token", b"") for headers in sent} <= {b"", NOBODYS_KEY}
        assert "left out, a real customer's credentials are needed" in result.stderr

    def test_of_a_customer(self, pair: Pair, url: str) -> None:
        """With a customer's credentials, missing fields are tried too; nothing that could send a message is."""
        result = invoke("drift", "--against", f"polyai={url}", "--yes", *of_customer(pair))
        assert result.exit_code == 0, result.output
        calls = received(pair)
        assert len(calls) > 4
        assert not any(call["accepted"] for call in calls)
        assert "polyai.send_sms/user_number_missing" in result.stdout

    @pytest.mark.parametrize("vendor", ["avaamo", "koreai", "opentact", "polyai", "voximplant"])
    def test_messages(self, pair: Pair, url: str, vendor: str) -> None:
        """With --send all messages go to one number, also those that are refused for something else."""
        to = "+12025550177"
        result = invoke("drift", "--against", f"{vendor}={url}", "--yes", *of_customer(pair), "--send", "--to", to)
        assert result.exit_code == 0, result.output
        refused_for_it = re.compile("recipient|number|to_?phone|/to|destination")
        for call in received(pair):
            is_about_it = any(refused_for_it.search(problem["at"]) for problem in call["problems"])
            assert call["recipient"] in {None, to} or (is_about_it and not call["accepted"]), call["recipient"]

    def test_none_is_sent_twice(self, pair: Pair, url: str, built_in: Copy) -> None:
        """A fixture of the user's own takes the place of the built-in one of its name."""
        invoke("drift", "--against", f"polyai={url}", "--yes")
        number = len(pair.stage.seen)
        pair.stage.seen.clear()
        invoke("drift", "--against", f"polyai={url}", "--yes", "--fixtures", built_in("polyai") / "fixtures")
        assert len(pair.stage.seen) == number > 0

    def test_consent(self, pair: Pair, url: str) -> None:
        """Nothing is sent to anybody unless the user says so."""
        result = invoke("drift", "--against", f"polyai={url}")
        assert (result.exit_code, pair.stage.seen) == (2, [])
        assert "REAL: send" in result.stderr
        assert result.stderr.endswith("\nmockserver: nothing was sent\n")

    def test_no_consent(self, pair: Pair, url: str) -> None:
        """Who says no is believed."""
        result = CliRunner().invoke(cli, ["drift", "--against", f"polyai={url}"], input="n\n", prog_name="mockserver")
        assert (result.exit_code, pair.stage.seen) == (2, [])
        assert result.stderr.endswith("mockserver: nothing was sent\n")

    def test_no_fixture(self, url: str) -> None:
        """A vendor that has no fixture cannot be asked by one."""
        ours: list[str | Path] = ["--contracts", HERE / "contracts", "--fixtures", HERE / "fixtures"]
        result = invoke("drift", "--against", f"{DEPOT}={url}", "--yes", *ours)
        assert (result.exit_code, result.stderr) == (2, "mockserver: no fixture of depot can be sent so\n")

    @pytest.mark.parametrize("text", ["about: Nothing else.", "a: ["])
    def test_a_broken_fixture(self, project: Path, url: str, text: str) -> None:
        """A fixture that cannot be read is a mistake in one line."""
        file = project / "fixtures" / DEPOT / "send" / "broken.yaml"
        file.parent.mkdir()
        file.write_text(text, "utf-8")
        result = drift(project, "--against", f"{DEPOT}={url}", "--yes")
        assert result.exit_code == 2
        assert str(file) in result.stderr

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--against", "polyai"], "--against is VENDOR=https://HOST"),
            (["--against", "nobody=https://127.0.0.1:1"], "there is no vendor 'nobody'"),
            (["--against", "polyai=http://vendor.example"], "http for this machine alone"),
            (["--against", "polyai=https://vendor.example/path"], "takes https://HOST[:PORT]"),
            (["--against", "polyai=https://u:p@vendor.example"], "takes https://HOST[:PORT]"),
            (
                ["--against", "polyai=https://127.0.0.1:1", "--send", "--to", "+12025550177"],
                "--send needs a real customer",
            ),
            (["--against", "polyai=https://127.0.0.1:1", "--to", "+12025550177"], "--to is for --send"),
            (["--against", "polyai=https://127.0.0.1:1", "--account", "default"], "is none of the --accounts file"),
            (["--against", "polyai=https://127.0.0.1:1", "--yes"], "gave no answer to list_connectors/"),
        ],
    )
    def test_mistakes(self, arguments: list[str], said: str) -> None:
        """A mistake is one line, and exit code 2."""
        result = invoke("drift", *arguments)
        assert result.exit_code == 2
        assert said in result.stderr.splitlines()[-1]

    def test_send_needs_a_number(self, pair: Pair, url: str) -> None:
        """Messages go to a number that the user names, or to nobody."""
        options = [*of_customer(pair), "--send", "--yes"]
        for more in ([], ["--to", "me"]):
            result = invoke("drift", "--against", f"polyai={url}", *options, *more)
            assert (result.exit_code, pair.stage.seen) == (2, [])
            assert "--send needs --to NUMBER" in result.stderr

    def test_without_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the client of real vendors is not installed, what to install is said."""
        monkeypatch.setattr("mockserver.cli.real_vendors.find_spec", lambda _: None)
        result = invoke("drift", "--against", "polyai=https://127.0.0.1:1")
        assert result.exit_code == 2
        assert "pip install 'sms-vendor-mockserver[real]'" in result.stderr


def of_customer(pair: Pair) -> list[str | Path]:
    """The options that give the real customer's credentials away."""
    ours: list[str | Path] = ["--contracts", HERE / "contracts", "--fixtures", HERE / "fixtures"]
    return [*ours, "--accounts", pair.accounts, "--account", "real"]


def received(pair: Pair) -> list[dict[str, Any]]:
    """What came to the one that plays the vendors, and is forgotten there."""
    api = f"http://127.0.0.1:{pair.port}/_mock/calls"
    calls: list[dict[str, Any]] = requests.get(api, params={"account": "*"}, timeout=PATIENCE).json()["calls"]
    requests.delete(api, params={"account": "*"}, timeout=PATIENCE)
    return calls


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
