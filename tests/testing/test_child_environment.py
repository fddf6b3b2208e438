"""The environment of other programs: what they trusted before they trust still."""

from pathlib import Path

import pytest

from mockserver.testing.child_environment import ClientTarget, isolated_environment, trust_variables

OURS = "-----BEGIN CERTIFICATE-----\nb3Vycw==\n-----END CERTIFICATE-----\n"
MORE = OURS.replace("b3Vycw==", "bW9yZQ==")


@pytest.fixture
def target(tmp_path: Path) -> ClientTarget:
    found = ClientTarget(("api.acme.example",), "127.0.0.1", 8080, tmp_path)
    found.ca.write_text(OURS)
    found.bundle.write_text(OURS)
    return found


@pytest.mark.parametrize("name", ["NODE_EXTRA_CA_CERTS", "DENO_CERT"])
@pytest.mark.parametrize(
    ("content", "trusted"),
    [(f"# more\n{MORE}end", OURS + MORE), ("no certificate", OURS), (b"0\x82\x01\xff", OURS), (None, OURS)],
)
def test_certificates_alone(target: ClientTarget, name: str, content: str | bytes | None, trusted: str) -> None:
    """What is no PEM would have a client distrust what follows."""
    named = target.folder / "named"
    if content is not None:
        named.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert Path(trust_variables(target, {name: str(named)})[name]).read_text() == trusted


def test_nothing_leads_away(target: ClientTarget) -> None:
    """In isolation no proxy is left in a variable, nor in Java's options."""
    before = {"HTTPS_PROXY": "http://elsewhere:1", "JAVA_TOOL_OPTIONS": "-Dhttps.proxyHost=elsewhere", "KEPT": "1"}
    found = isolated_environment(target, before)
    assert "HTTPS_PROXY" not in found
    assert found["KEPT"] == "1"
    assert found["JAVA_TOOL_OPTIONS"].startswith("-Dhttps.proxyHost=elsewhere ")
    assert "-Dhttps.proxyHost= " in found["JAVA_TOOL_OPTIONS"]
