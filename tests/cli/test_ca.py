"""``mockserver ca``: files for clients, and lines that a shell takes as they are printed."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from tests.cli.running import invoke, surroundings
from tests.evidence import ROOT
from tests.live import live_server

FILES = ["ca.pem", "bundle.pem", "trust.p12"]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    return tmp_path / "state" / "mockserver"


def test_files_are_written(tmp_path: Path, state: Path) -> None:
    """Where they are asked for, or in the user's state folder, always with the same CA; the paths are printed."""
    given = invoke("ca", tmp_path / "tls").stdout.splitlines()
    default = invoke("ca").stdout.splitlines()
    assert [Path(line).name for line in given[:3]] == [Path(line).name for line in default[:3]] == FILES
    assert {Path(line).parent for line in given} == {tmp_path / "tls"}
    assert {Path(line).parent.parent for line in default} == {state}
    assert Path(given[0]).read_text() == Path(default[0]).read_text()
    assert given[3].endswith(".0")


def test_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed holds in any folder."""
    monkeypatch.chdir(tmp_path)
    assert invoke("ca", "tls").stdout.splitlines()[0] == str(tmp_path / "tls" / "ca.pem")


def test_without_a_store_for_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older library cannot make is told."""
    monkeypatch.delattr(pkcs12, "serialize_java_truststore", raising=False)
    ended = invoke("ca", tmp_path)
    assert ended.stderr == "mockserver: without trust.p12, which takes cryptography 45 or newer\n"
    assert len(ended.stdout.splitlines()) == 3


def test_hints_are_lines_for_a_shell(tmp_path: Path) -> None:
    """Each variable has the file or the address that it is for, whatever the folder is called."""
    folder = tmp_path / "it's mine"
    printed = invoke("ca", folder, "--hint", "--url", "http://127.0.0.1:9999/").stdout
    script = printed.partition("\n# PHP")[0] + '\nprintf "%s\\n" "$REQUESTS_CA_BUNDLE" "$SSL_CERT_FILE"'
    script += (
        ' "$CURL_CA_BUNDLE" "$NODE_EXTRA_CA_CERTS" "$HTTPS_PROXY" "$http_proxy" "$JAVA_TOOL_OPTIONS"; cat "$WGETRC"'
    )
    ran = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True, env={"PATH": "/bin"})
    bundle, proxy = str(folder / "bundle.pem"), "http://127.0.0.1:9999"
    *variables, java, use, _, _, trusted = ran.stdout.splitlines()
    assert variables == [bundle, bundle, bundle, str(folder / "ca.pem"), proxy, proxy]
    assert f"trustStore={folder / 'trust.p12'}" in java
    assert "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=9999" in java
    assert (use, trusted) == ("use_proxy=on", f"ca_certificate={bundle}")
    assert ran.stderr == ""
    for language in (
        "requests",
        "httpx",
        "aiohttp",
        "Node",
        "Java",
        "curl",
        "wget",
        "Go",
        "PHP",
        "Ruby",
        ".NET",
        "Docker",
    ):
        assert any(line.startswith("#") and language in line for line in printed.splitlines()), language
    assert printed.endswith("mockserver hosts --compose\n")


def test_node_keeps_what_it_trusts(tmp_path: Path) -> None:
    """A certificate that is named already is in the bundle, which takes its place."""
    printed = invoke("ca", tmp_path, "--hint", NODE_EXTRA_CA_CERTS="/company.pem").stdout
    assert f"NODE_EXTRA_CA_CERTS={tmp_path / 'bundle.pem'}\n" in printed


def test_a_ca_that_no_server_would_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be kept, files would be for nothing: it is an error, in one line."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    ended = invoke("ca", tmp_path / "tls")
    assert ended.exit_code == 2
    assert ended.stderr.startswith("mockserver: certificates are made anew at each start: ")
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "tls").exists()


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """The error names it."""
    (tmp_path / "file").write_text("")
    ended = invoke("ca", tmp_path / "file")
    assert (ended.exit_code, ended.stderr) == (2, f"mockserver: cannot use {tmp_path / 'file'}: File exists\n")


def test_the_guides_commands(tmp_path: Path) -> None:
    """What the guide shows runs as it is written, but for the server's address and the program's path."""
    guide = (ROOT / "mockserver" / "server" / "README.md").read_text("utf-8")
    commands = guide.partition("<!-- tls -->\n```sh\n")[2].partition("```")[0]
    program = f'mockserver() {{ {shlex.quote(sys.executable)} -m mockserver "$@"; }}\n'
    with live_server() as live:
        script = program + commands.replace("127.0.0.1:8080", f"127.0.0.1:{live.port}").replace(
            ":8080", f":{live.port}"
        )
        ran = subprocess.run(
            ["bash", "-euc", script.replace("curl ", "curl -sS ")],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=surroundings(PYTHONPATH=str(ROOT)) | {"no_proxy": "localhost"},
        )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert '{"error":{"code":100,"msg":"Authorization failed"}' in ran.stdout
    assert '"status":"ready"' in ran.stdout
