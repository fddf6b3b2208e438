"""Mistakes at the command line: each is one line, none a traceback."""

import re
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver import __version__
from mockserver.cli.common import program
from tests.cli.running import invoke, run
from tests.properties import examples

LONG = "x" * 5000


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands run: a folder with wrong files."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("empty.yaml").touch()
    Path("latin.yaml").write_bytes(b"id: \xe9")
    Path("open.yaml").write_text("id: [\n", "utf-8")
    Path("list.yaml").write_text("- id: third\n- id: default\n", "utf-8")
    Path("member.yaml").write_text("id: third\nvendors:\n  polyai: {api_keyy: x}\n", "utf-8")
    Path("vendor.yaml").write_text("id: third\nvendors: {nobody: {}}\n", "utf-8")
    Path("taken.yaml").write_text(
        "id: third\nvendors:\n  polyai:\n    api_key: polyai-default-api-key-0000000000000001a\n", "utf-8"
    )
    return tmp_path


def test_version() -> None:
    """The module is the command, and knows its version."""
    ended = run("--version")
    assert (ended.returncode, ended.stdout) == (0, f"mockserver, version {__version__}\n")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]], ids=["nothing", "long", "short"])
def test_help(arguments: list[str]) -> None:
    """Asked for help, or for nothing, it lists its commands."""
    ended = invoke(*arguments)
    assert ended.exit_code == (0 if arguments else 2)
    assert {"account", "check", "curl", "serve"} <= set(re.findall(r"^  (\w+) ", ended.output, re.MULTILINE))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ["curl", "nobody"], "there is no vendor 'nobody'; known: avaamo, koreai, opentact, .*", id="vendor"
        ),
        pytest.param(["curl", "polyai", "--no-builtin"], "there is no vendor 'polyai'; known: none", id="no vendor"),
        pytest.param(
            ["curl", "polyai", "--account", "x"], "there is no account 'x'; known: default, second", id="caller"
        ),
        pytest.param(["account", "x"], "there is no account 'x'; known: default, second; .* --live", id="account"),
        pytest.param(
            ["curl", "polyai", "--url", "localhost"], "--url must be an http address, not 'localhost'", id="url"
        ),
        pytest.param(["account", "--url", "ftp://x"], "--url must be an http address, not 'ftp://x'", id="scheme"),
        pytest.param(
            ["account", "--live", "--url", "http://a b"], "no mockserver answers at http://a b/.*", id="blank"
        ),
        pytest.param(
            ["account", "--live", "--url", "http://[::"], r"no mockserver answers at http://\[::/.*", id="IPv6"
        ),
        pytest.param(
            ["account", "--live", "--url", "http://127.0.0.1:1"], "no mockserver answers .* refused.*", id="off"
        ),
        pytest.param(["account", "--files", "empty.yaml/x"], "cannot write empty.yaml/x/voximplant: .*", id="files"),
        pytest.param(["serve", "--public-url", "sms.test"], "--public-url must be an http address, .*", id="public"),
        pytest.param(
            ["serve", "--host", "ü..x"], "cannot listen on ü..x:[0-9]+: .*; choose another --host .*", id="host"
        ),
        pytest.param(["serve", "--host", "192.0.2.1"], "cannot listen on 192.0.2.1:[0-9]+: .*", id="other's address"),
        pytest.param(
            ["serve", "--watch", "--forward-real", "polyai=https://api.example.test"],
            "--watch and --forward-real: a vendor whose calls are passed on cannot change meanwhile",
            id="watched and passed on",
        ),
        pytest.param(["serve", "--body-limit", "5"], "--body-limit is now --max-body", id="former name"),
        pytest.param(["serve", "--most-accounts=5"], "--most-accounts is now --max-accounts", id="former name, equals"),
        pytest.param(["check", "--contracts", LONG], f"cannot use {LONG}: File name too long", id="long"),
    ],
)
def test_usage(files: Path, taken: str, arguments: list[str], said: str) -> None:
    """A usage error is one line that says what would be right; exit code 2, nothing on standard output."""
    ended = invoke(*arguments, *(["--port", taken] if arguments[0] == "serve" else []))
    assert (ended.exit_code, ended.stdout) == (2, ""), ended.exception
    assert re.fullmatch(f"mockserver: {said}\n", ended.stderr), ended.stderr


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        pytest.param(["account", "--live"], {"MOCKSERVER_ADMIN_TOKEN": "tok\ns3cret"}, id="token"),
        pytest.param(["account", "--live", "--url", "http://u:s3cret@127.0.0.1:1"], {}, id="address"),
        pytest.param(["curl", "polyai", "--url", "http://u:s3cret@x"], {}, id="curl"),
        pytest.param(["account"], {"MOCKSERVER_PUBLIC_URL": "http://s3cret@x"}, id="public-url"),
        pytest.param(["serve", "--public-url", "http://u:s3cret@x"], {}, id="served-url"),
        pytest.param(["serve", "--public-url", "http://例え"], {}, id="beyond-ascii"),
        pytest.param(["serve", "--allow-origin", "*"], {}, id="origin"),
    ],
)
def test_no_secret_is_in_a_usage_error(taken: str, arguments: list[str], environment: dict[str, str]) -> None:
    """A token or the password of an address is not in the one line that says what is wrong with it."""
    port = ["--port", taken] if arguments[0] == "serve" else []
    ended = invoke(*arguments, *port, **environment)
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1), ended.exception
    assert ended.stderr.startswith("mockserver: ")
    assert "s3cret" not in ended.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--contracts", "nowhere"], "nowhere:1:1: /: there is no such folder", id="folder"),
        pytest.param(["--contracts", "empty.yaml"], "empty.yaml:1:1: /: there is no such folder", id="no folder"),
        pytest.param(["--fixtures", "nowhere"], "nowhere:1:1: /: there is no such folder", id="fixtures"),
        pytest.param(["--accounts", "nowhere"], "nowhere:1:1: /: cannot be read: .*", id="no file"),
        pytest.param(["--accounts", "folder"], "folder:1:1: /: cannot be read: .*", id="no text"),
        pytest.param(["--accounts", "latin.yaml"], "latin.yaml:1:1: /: cannot be read: .*", id="no UTF-8"),
        pytest.param(["--accounts", "empty.yaml"], "empty.yaml:1:1: /: the file is empty", id="empty"),
        pytest.param(["--accounts", "open.yaml"], "open.yaml:2:1: /: not YAML: .*", id="no YAML"),
        pytest.param(
            ["--accounts", "list.yaml"], "list.yaml:2:3: /1/id: there is an account 'default' already", id="id"
        ),
        pytest.param(
            ["--accounts", "member.yaml"],
            "member.yaml:3:12: /vendors/polyai/api_keyy: is not known here; known: account_id, api_key, connectors",
            id="member",
        ),
        pytest.param(["--accounts", "vendor.yaml"], "vendor.yaml:2:11: /vendors/nobody: is not known .*", id="vendor"),
        pytest.param(
            ["--accounts", "taken.yaml"],
            "taken.yaml:4:5: /vendors/polyai/api_key: account 'default' has this value already",
            id="clash",
        ),
    ],
)
def test_findings(files: Path, arguments: list[str], said: str) -> None:
    """An error in a file is a line with its place; exit code 1."""
    ended = invoke("account", *arguments)
    assert (ended.exit_code, ended.stderr) == (1, ""), ended.exception
    assert re.fullmatch(f"{said}\n", ended.stdout), ended.stdout


@pytest.mark.parametrize("command", [["serve"], ["curl", "polyai"]], ids=lambda words: words[0])
def test_findings_of_other_commands(files: Path, taken: str, command: list[str]) -> None:
    """Every command that reads the files tells their errors alike."""
    where = ["--port", taken] if command == ["serve"] else []
    ended = invoke(*command, "--accounts", "member.yaml", *where)
    expected = "member.yaml:3:12: /vendors/polyai/api_keyy: is not known here; known: account_id, api_key, connectors\n"
    assert (ended.exit_code, ended.stdout, ended.stderr) == (1, expected, ""), ended.exception


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        pytest.param("SERVE_PORT", "http", "must be a whole number from 0 to 65535, not 'http'", id="word"),
        pytest.param("SERVE_PORT", "65536", "must be a whole number from 0 to 65535, not '65536'", id="port"),
        pytest.param("MAX_BODY", "-1", "must be a whole number from 1 to 10+, not '-1'", id="negative"),
        pytest.param("MAX_JOURNAL_CALLS", "0", "must be a whole number from 1 to 10+, not '0'", id="none"),
        pytest.param("MAX_JOURNAL_BYTES", "1" * 5000, "must be a whole number from 1 to 10+, not '1+'", id="huge"),
        pytest.param("MAX_BODY", "²", "must be a whole number from 1 to 10+, not '²'", id="superscript"),
        pytest.param("EXPLAIN", "maybe", "must be true or false, not 'maybe'", id="boolean"),
        pytest.param("LOG", "yes", "must be one of text, json, off, not 'yes'", id="form"),
        pytest.param("HEADER_LIMIT", "5", "is now MOCKSERVER_MAX_HEAD", id="former name"),
    ],
)
def test_environment(name: str, value: str, said: str) -> None:
    """An invalid setting is named as in the environment."""
    ended = invoke("check", **{f"MOCKSERVER_{name}": value})
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert re.fullmatch(f"mockserver: MOCKSERVER_{name} {said}\n", ended.stderr), ended.stderr


@pytest.mark.parametrize("command", [["account"], ["curl", "polyai"]], ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("options", "environment", "url"),
    [
        pytest.param([], {}, "http://127.0.0.1:8080", id="nothing"),
        pytest.param([], {"MOCKSERVER_SERVE_PORT": "9000"}, "http://127.0.0.1:9000", id="port"),
        pytest.param([], {"MOCKSERVER_PUBLIC_URL": "http://vendors:8080/"}, "http://vendors:8080", id="public"),
        pytest.param(["--url", "http://x"], {"MOCKSERVER_PUBLIC_URL": "http://y"}, "http://x", id="option"),
    ],
)
def test_where_the_server_is(command: list[str], options: list[str], environment: dict[str, str], url: str) -> None:
    """The option says it, else the public URL of the settings, else this machine."""
    ended = invoke(*command, *options, **environment)
    addresses = set(re.findall(r"https?://[a-z0-9.:]+(?=[/\"' ])", ended.stdout))
    assert url in addresses, ended.output


def test_a_wrong_public_url_is_named() -> None:
    """As it was given."""
    ended = invoke("account", MOCKSERVER_PUBLIC_URL="vendors:8080")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr == "mockserver: MOCKSERVER_PUBLIC_URL must be an http address, not 'vendors:8080'\n"


@pytest.mark.parametrize(
    ("written", "is_on_path", "shown"),
    [
        pytest.param(".venv/bin/mockserver", False, ".venv/bin/mockserver", id="relative"),
        pytest.param(".venv/bin/mockserver", True, ".venv/bin/mockserver", id="relative, on PATH too"),
        pytest.param("{}/.venv/bin/mockserver", False, "{}/.venv/bin/mockserver", id="absolute"),
        pytest.param("{}/.venv/bin/mockserver", True, "mockserver", id="found on PATH"),
        pytest.param("{}/mockserver/__main__.py", True, f"{sys.executable} -m mockserver", id="module"),
        pytest.param("a b/mockserver", False, "'a b/mockserver'", id="blank"),
    ],
)
def test_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, written: str, is_on_path: bool, shown: str
) -> None:
    """A shell can run the program again by what is printed of it."""
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "mockserver").write_text("#!/bin/sh\n")
    (folder / "mockserver").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder) if is_on_path else "/nowhere")
    monkeypatch.setattr("sys.argv", [written.format(tmp_path), "serve"])
    assert program() == shown.format(tmp_path)


WORDS = [
    *(
        "",
        "-",
        "--",
        "--port",
        "--no-builtin",
        "--contracts",
        "--accounts",
        "--fixtures",
        "--format",
        "dotenv",
        "--live",
    ),
    *("polyai", "default", "second", "a b", "\n", "ü", "'", "..", LONG, "folder", "empty.yaml", "latin.yaml"),
    *("--url", "http://", "http://127.0.0.1:1", "http://[", "http://a\nb", "--account", "--public-url", "-1", "1e3"),
]


@settings(
    deadline=None,
    database=None,
    max_examples=examples(100),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    command=st.sampled_from(["serve", "check", "curl", "account"]), words=st.lists(st.sampled_from(WORDS), max_size=4)
)
def test_no_traceback(files: Path, taken: str, command: str, words: list[str]) -> None:
    """Whatever the words are, a command ends with 0, 1 or 2, and never by an exception."""
    end = ["--no-builtin", *(["--port", taken] if command == "serve" else [])]  # a server would never end
    ended = invoke(command, *end, *words) if "--" in words else invoke(command, *words, *end)
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    assert ended.exit_code in {0, 1, 2}
    assert "Traceback" not in ended.output


def test_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl+C is no finding, also where it comes while a command is still imported."""

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mockserver.cli.import_module", interrupt)
    ended = invoke("hosts")
    assert (ended.exit_code, ended.output) == (130, "")
