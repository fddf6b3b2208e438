"""What the plugin notices beside a test's own assertions: assumed answers, overlooked refusals, coverage."""

import json
from pathlib import Path

import pytest

from mockserver.testing import MockServer
from mockserver.testing.findings import Findings
from tests.testing.inner import here, write

pytest_plugins = ["pytester"]

REFUSED = """
def test_overlooked(mock_vendors):
    assert send(mock_vendors.polyai, key="") == 401

def test_asserted(mock_vendors):
    send(mock_vendors.polyai, key="")
    mock_vendors.polyai.send_sms.assert_called_once(answer="unauthorized")

def test_read(mock_vendors):
    send(mock_vendors.polyai, key="")
    assert mock_vendors.polyai.send_sms.calls

def test_pinned(mock_vendors):
    mock_vendors.polyai.send_sms.pin("rate_limited")
    assert send(mock_vendors.polyai) == 429

def test_accepted(mock_vendors):
    assert send(mock_vendors.polyai) == 202
    mock_vendors.polyai.send_sms.assert_accepted()
"""
LINE = "test_app.py::test_overlooked: * polyai.send_sms/unauthorized 401 rule unauthenticated absent *"


def test_refusals_nobody_asserted_on_are_listed(pytester: pytest.Pytester, server: MockServer) -> None:
    """In passing tests too; what an assertion matched, what was read and what was pinned is not."""
    write(pytester, REFUSED)
    result = here(pytester, "--mockserver-url", server.url)
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["*refused by a vendor's rule, and no test asserted on it*", LINE])
    assert sum("unauthorized 401" in line for line in result.outlines) == 1


def test_refusals_can_fail_the_test(pytester: pytest.Pytester, server: MockServer) -> None:
    """Only the test that overlooked one has an error; a test that failed anyway has none beside."""
    write(
        pytester,
        REFUSED
        + "\ndef test_failed(mock_vendors):\n    send(mock_vendors.polyai, key='')\n    raise ZeroDivisionError\n",
    )
    result = here(pytester, "--mockserver-url", server.url, "--mockserver-refused=fail")
    result.assert_outcomes(passed=5, errors=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_overlooked*",
            "refusals that no assertion matched and nobody read:",
            "  * 401 rule *",
        ]
    )


LIMITED = """
def test_overcome(mock_vendors):
    mock_vendors.limit("polyai", requests=1, seconds=60)
    assert [send(mock_vendors.polyai) for _ in range(2)] == [202, 429]
    mock_vendors.advance(60)
    assert send(mock_vendors.polyai) == 202

def test_given_up(mock_vendors):
    mock_vendors.limit("polyai", requests=1, seconds=60)
    assert [send(mock_vendors.polyai) for _ in range(2)] == [202, 429]

def test_overcome_elsewhere(mock_vendors):
    mock_vendors.limit("polyai", requests=1, seconds=60)
    assert [send(mock_vendors.polyai) for _ in range(2)] == [202, 429]
    requests.get(f"{mock_vendors.voximplant.url}/SendSmsMessage", headers={"Prefer": "example=sent"}, timeout=10)

def test_not_the_limit_alone(mock_vendors):
    mock_vendors.limit("polyai", requests=1, seconds=60)
    assert send(mock_vendors.polyai) == 202
    assert send(mock_vendors.polyai, key="") == 401
    mock_vendors.advance(60)
    assert send(mock_vendors.polyai) == 202
"""


def test_a_limit_that_the_client_overcame_is_not_overlooked(pytester: pytest.Pytester, server: MockServer) -> None:
    """The test has set it, and the client has waited; one that ended in failure is told, as is another mistake."""
    write(pytester, "import requests\n" + LIMITED)
    result = here(pytester, "--mockserver-url", server.url)
    result.assert_outcomes(passed=4)
    result.stdout.no_fnmatch_line("*test_overcome: *")
    result.stdout.fnmatch_lines(
        [
            "test_app.py::test_given_up: * 429 rule limited *",
            "test_app.py::test_overcome_elsewhere: * 429 rule limited *",
            "test_app.py::test_not_the_limit_alone: * 401 rule unauthenticated *",
        ]
    )


WIPED = """
def test_unknown_path(mock_vendors):
    polyai = mock_vendors.polyai
    key = {"X-PolyAi-Auth-Token": polyai.credentials["api_key"]}
    requests.post(f"{polyai.url}/v1/outbound", headers=key, timeout=9)

def test_wiped(mock_vendors):
    send(mock_vendors.polyai, key="")
    mock_vendors.reset()

def test_wiped_in_part(mock_vendors):
    send(mock_vendors.polyai, key="")
    mock_vendors.avaamo.reset()
    mock_vendors.polyai.send_sms.reset()

def test_wiped_and_deleted(mock_vendors):
    send(mock_vendors.polyai, key="")
    mock_vendors.polyai.reset()
    send(mock_vendors.polyai, key="")
    mock_vendors.delete()

def test_seen_and_wiped(mock_vendors):
    send(mock_vendors.polyai, key="")
    mock_vendors.polyai.assert_refused(times=1)
    mock_vendors.reset()
    requests.get(f"{mock_vendors.polyai.url}/v1/x", headers={
        "X-PolyAi-Auth-Token": mock_vendors.polyai.credentials["api_key"]}, timeout=9)
    mock_vendors.assert_refused(path="/v1/x", times=1)
"""


def test_refusals_that_are_easily_missed(pytester: pytest.Pytester, server: MockServer) -> None:
    """A path that no vendor has; calls that were forgotten, or that went with the account. What was seen stays seen."""
    write(pytester, "import requests\n" + WIPED)
    result = here(pytester, "--mockserver-url", server.url)
    result.assert_outcomes(passed=5)
    lines = [line for line in result.outlines if line.startswith("test_app.py::")]
    assert [line.partition(": ")[0].rpartition("::")[2] for line in lines] == [
        "test_unknown_path",
        "test_wiped",
        "test_wiped_in_part",
        "test_wiped_and_deleted",
        "test_wiped_and_deleted",
    ]
    result.stdout.fnmatch_lines(["test_app.py::test_unknown_path: * POST /v1/outbound 404 -"])


def test_refusals_can_be_ignored(pytester: pytest.Pytester, server: MockServer) -> None:
    """Nothing is said of them."""
    write(pytester, REFUSED)
    result = here(pytester, "--mockserver-url", server.url, "--mockserver-refused=ignore")
    result.assert_outcomes(passed=5)
    result.stdout.no_fnmatch_line("*unauthorized 401*")


def test_many_refusals_are_counted(pytester: pytest.Pytester, server: MockServer) -> None:
    """A summary stays a summary."""
    write(pytester, 'def test_it(mock_vendors):\n    for n in range(23): send(mock_vendors.polyai, key="")\n')
    result = here(pytester, "--mockserver-url", server.url)
    result.stdout.fnmatch_lines(["… and 3 more"])
    assert sum("unauthorized 401" in line for line in result.outlines) == 20


LITTLE_KNOWN = """
import requests

def test_known(mock_vendors):
    send(mock_vendors.polyai)

def test_assumed(mock_vendors):
    avaamo = mock_vendors.avaamo
    url = f"{avaamo.url}/sms/{avaamo.owned['channels'][0]['uuid']}/send.json"
    for _ in range(2):
        assert requests.post(url, json={}).status_code == 400

def test_pinned(mock_vendors):
    mock_vendors.polyai.send_sms.pin({"status": 418})
    send(mock_vendors.polyai)
"""


def test_assumed_answers_are_a_line(pytester: pytest.Pytester, server: MockServer) -> None:
    """How many tests got them, and which; none where all is known better."""
    write(pytester, LITTLE_KNOWN)
    result = here(pytester, "--mockserver-url", server.url)
    line = "mockserver: 1 test got answers that the contract only assumes: avaamo.send_sms/phone_missing (1)"
    result.stdout.fnmatch_lines([line])
    result = here(pytester, "--mockserver-url", server.url, "-k", "known or pinned")
    result.stdout.no_fnmatch_line("*assumes*")


def test_a_threshold_of_evidence(pytester: pytest.Pytester, server: MockServer) -> None:
    """A test that relied on less fails once, and names each answer with the parts and the reasons."""
    write(pytester, LITTLE_KNOWN)
    result = here(pytester, "--mockserver-url", server.url, "--mockserver-evidence=sibling")
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.no_fnmatch_line("mockserver: *")
    why = "assumed (Nothing but the success of this method is documented.)"
    result.stdout.fnmatch_lines(
        ["relied on less than sibling:", f"  avaamo.send_sms/phone_missing: status, shape: {why}"]
    )


UNHEARD = """
import requests

def test_unheard(mock_vendors):
    opentact = mock_vendors.opentact
    body = {"from": f"+{opentact.owned['leases'][0]['tn']}", "to": "+14155550123", "text": "Hello"}
    headers = {"Authorization": f"Bearer {opentact.credentials['keys'][0]['api_key']}"}
    assert requests.post(f"{opentact.url}/sms/o", json=body, headers=headers).status_code == 200
    assert opentact.message_event.assert_called(within=10)[0].response.status == 0
"""


def test_a_callback_without_a_receiver_counts_for_no_threshold(pytester: pytest.Pytester, server: MockServer) -> None:
    """A test relied on nothing of a callback that no receiver got."""
    write(pytester, UNHEARD)
    result = here(pytester, "--mockserver-url", server.url, "--mockserver-evidence=vendor")
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(("threshold", "errors"), [("page", 2), ("vendor", 1)])
def test_a_literal_of_a_test_counts_for_no_threshold(
    pytester: pytest.Pytester, server: MockServer, threshold: str, errors: int
) -> None:
    """What a test wrote itself relies on nothing of a vendor's; the rest is held against what was asked for."""
    write(pytester, LITTLE_KNOWN)
    result = here(pytester, "--mockserver-url", server.url, f"--mockserver-evidence={threshold}")
    result.assert_outcomes(passed=3, errors=errors)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--mockserver-assumed=error", "--mockserver-assumed is now --mockserver-evidence=page|vendor|sibling"),
        ("--mockserver-evidence=pages", "--mockserver-evidence is page, vendor or sibling, not pages"),
    ],
)
def test_what_the_option_takes(pytester: pytest.Pytester, option: str, says: str) -> None:
    """The option's old name, and a threshold that there is not, are told in a line."""
    result = here(pytester, option)
    result.stderr.fnmatch_lines([f"ERROR: {says}"])


@pytest.mark.parametrize("own", [True, False], ids=["a server of its own", "a shared server"])
def test_coverage_is_shown_and_written(pytester: pytest.Pytester, server: MockServer, own: bool) -> None:
    """Of a shared server only what these tests met; the file is what merge takes."""
    with server.account() as stranger:
        stranger.polyai.send_sms.pin("server_error")
        write(
            pytester,
            REFUSED + "\ndef test_by_hand(mock_server):\n    with mock_server.account() as one: send(one.polyai)\n",
        )
        where = [] if own else ["--mockserver-url", server.url]
        result = here(pytester, *where, "--mockserver-cov", "--mockserver-cov-json=deep/cov.json")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(
        [
            "* mockserver coverage *",
            "polyai.send_sms: 3 of *",
            "  202 sent * natural 2     forced 0     in 1 test(s)",
            "  401 unauthorized * natural 3     forced 0     in 3 test(s)",
            "  429 rate_limited * natural 0     forced 1     in 1 test(s)",
            "3 of * answers, * %: 2 natural, 1 forced",
        ]
    )
    written = json.loads((pytester.path / "deep" / "cov.json").read_text("utf-8"))
    assert written["operations"]["polyai.send_sms"]["answers"]["rate_limited"]["tests"] == ["test_app.py::test_pinned"]


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        pytest.param(["--mockserver-cov-fail-under=0.1"], 0, None, id="enough"),
        pytest.param(["--mockserver-cov-fail-under=99"], 1, "FAILED: * % is below 99 %", id="too little"),
        pytest.param(
            ["--mockserver-cov-fail-under=2", "--mockserver-cov-vendor=polyai"], 0, None, id="enough of one vendor"
        ),
        pytest.param(
            ["--mockserver-cov", "--mockserver-cov-vendor=acme"], 1, "FAILED: *no vendor 'acme'; known: *", id="vendor"
        ),
        pytest.param(["--mockserver-cov-json=."], 1, "FAILED: --mockserver-cov-json cannot be written: *", id="file"),
        pytest.param(["--mockserver-cov-fail-under=1", "-k", "other"], 1, "no test used mock_vendors *", id="unused"),
        pytest.param(["--mockserver-cov-fail-under=1", "--collect-only"], 0, None, id="nothing run"),
    ],
)
def test_the_gate_decides_the_exit_code(
    pytester: pytest.Pytester, server: MockServer, options: list[str], code: int, line: str | None
) -> None:
    """Too little coverage fails a run whose tests passed, and says so."""
    write(pytester, "def test_it(mock_vendors): send(mock_vendors.polyai)\ndef test_other(): pass\n")
    result = here(pytester, "--mockserver-url", server.url, *options)
    assert result.ret == code
    if line is None:
        result.stdout.no_fnmatch_line("FAILED*")
    else:
        result.stdout.fnmatch_lines([line])


def test_a_failed_run_stays_failed(pytester: pytest.Pytester, server: MockServer, tmp_path: Path) -> None:
    """Whatever the coverage, the exit code of failed tests is theirs; the file is written all the same."""
    write(pytester, "def test_it(mock_vendors):\n    send(mock_vendors.polyai)\n    raise ZeroDivisionError\n")
    file = tmp_path / "cov.json"
    result = here(pytester, "--mockserver-url", server.url, f"--mockserver-cov-json={file}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert json.loads(file.read_text("utf-8"))["format"] == 2
    result.stdout.no_fnmatch_line("*mockserver coverage*")


@pytest.mark.parametrize(
    ("is_forked", "is_interrupted", "line"),
    [
        (False, False, None),
        (True, False, "with --forked each test ends with its process: what it met is not counted"),
        (False, True, "the run was interrupted: what its tests met is counted in part"),
    ],
)
def test_what_is_not_counted_is_told(is_forked: bool, is_interrupted: bool, line: str | None) -> None:
    """Whatever kept it from being counted."""
    findings = Findings()
    findings.is_forked, findings.is_interrupted = is_forked, is_interrupted
    assert findings.lost_line() == line


FORKED = "def pytest_addoption(parser):\n    parser.addoption('--forked', action='store_true')\n"


def test_forked(pytester: pytest.Pytester) -> None:
    """The plugin of that option runs each test in a child, where what it met stays; nobody is told that none did."""
    write(pytester, "def test_one():\n    pass\n", conftest=FORKED)
    result = here(pytester, "--forked", "--mockserver-cov", "--mockserver-cov-fail-under=1")
    result.stdout.fnmatch_lines(["*with --forked each test ends with its process*"])
    result.stdout.no_fnmatch_line("*no test used*")
