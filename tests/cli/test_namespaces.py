"""What is put in the place of the system's files, and on which systems: parts of an isolated run, without one."""

import errno
import os
import socket
import sys
from pathlib import Path

import pytest

from mockserver.cli import namespaces
from mockserver.cli.namespaces import NEW_USERS, Inside, IsolationError, LocalService, isolate


@pytest.fixture
def inside(tmp_path: Path) -> Inside:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "ca.pem").write_text("OURS\n")
    (folder / "0123abcd.0").write_text("OURS\n")
    own = folder / "own"
    own.mkdir()
    services = (LocalService("localhost", 5432), LocalService("db", 6379), LocalService("::1", 6379))
    return Inside(("api.acme.example",), 8080, services, folder / "ca.pem", folder, own)


@pytest.fixture(autouse=True)
def _resolver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "RESOLVER_FILE", str(tmp_path / "resolv.conf"))


def test_hosts(inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of this machine stay, those of others go; vendors, services and its own name are this machine."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost me\n::1 localhost\n10.0.0.7 db api.acme.example\n# text\n")
    monkeypatch.setattr(namespaces, "HOSTS_FILE", str(hosts))
    monkeypatch.setattr(namespaces, "CERTIFICATES", str(tmp_path / "nothing"))
    monkeypatch.setattr(namespaces, "BUNDLES", ())
    monkeypatch.setattr(socket, "gethostname", lambda: "box")
    ((source, target),) = namespaces._replacements(inside)  # noqa: SLF001 -- a part
    assert target == str(hosts)
    ours = [f"127.0.0.1 {name}" for name in ("api.acme.example", "db", "box")]
    assert source.read_text().splitlines() == ["127.0.0.1 localhost me", "::1 localhost", *ours]


def test_who_knows_other_names(inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is this machine that is asked, where a file says who is."""
    (tmp_path / "resolv.conf").write_text("search acme.example\nnameserver 10.0.0.1\n")
    monkeypatch.setattr(namespaces, "CERTIFICATES", str(tmp_path / "nothing"))
    monkeypatch.setattr(namespaces, "BUNDLES", ())
    found = {target: source for source, target in namespaces._replacements(inside)}  # noqa: SLF001 -- a part
    assert found[str(tmp_path / "resolv.conf")].read_text() == "nameserver 127.0.0.1\nsearch .\n"


def test_places(inside: Inside) -> None:
    """Vendors' ports, the server's, and each service at its address, or at the first one of this machine."""
    places = [("127.0.0.1", port) for port in (443, 80, 8080, 5432, 6379)]
    assert namespaces._places(inside) == [*places, ("::1", 6379)]  # noqa: SLF001 -- a part


@pytest.mark.parametrize("is_root", [True, False])
def test_each_way_has_a_folder_of_its_own(inside: Inside, monkeypatch: pytest.MonkeyPatch, is_root: bool) -> None:
    """What one has left there hides nothing of the next one's trouble."""
    monkeypatch.setattr(os, "geteuid", lambda: 0 if is_root else 1000)

    def enter(inside: Inside, _: int) -> None:
        (inside.own / "certs").mkdir()
        raise namespaces._StepError("listening on 127.0.0.1 port 443", errno.EADDRINUSE)  # noqa: SLF001 -- as above

    monkeypatch.setattr(namespaces, "_enter", enter)
    monkeypatch.setattr(namespaces, "why_not", lambda step, number: f"{step}: {os.strerror(number)}")
    with pytest.raises(IsolationError, match=r"^listening on 127.0.0.1 port 443: Address already in use$"):
        isolate(["true"], {}, inside)
    assert not (inside.own / "certs").exists()


def test_certificates(inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is copied whole, its bundle and those elsewhere get the CA, and the originals stay as they are."""
    folder, elsewhere = tmp_path / "certs", tmp_path / "elsewhere.pem"
    folder.mkdir()
    (tmp_path / "real.pem").write_text("THEIRS\n")
    (folder / "bundle.pem").symlink_to(tmp_path / "real.pem")
    (folder / "ffff0000.0").write_text("THEIRS\n")
    elsewhere.write_text("OTHERS\n")
    monkeypatch.setattr(namespaces, "CERTIFICATES", str(folder))
    monkeypatch.setattr(namespaces, "BUNDLES", (str(folder / "bundle.pem"), str(elsewhere), str(tmp_path / "none")))
    found = {target: source for source, target in namespaces._replacements(inside)}  # noqa: SLF001 -- a part
    copied = found[str(folder)]
    assert {path.name for path in copied.iterdir()} == {"bundle.pem", "ffff0000.0", "0123abcd.0"}
    assert (copied / "bundle.pem").read_text().split() == ["THEIRS", "OURS"]
    assert found[str(elsewhere)].read_text().split() == ["OTHERS", "OURS"]
    assert (tmp_path / "real.pem").read_text() == "THEIRS\n"


def test_root_needs_no_user_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried without at first; others have no choice."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert [bool(kinds & NEW_USERS) for kinds in namespaces._ways()] == [False, True]  # noqa: SLF001 -- a part
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert [bool(kinds & NEW_USERS) for kinds in namespaces._ways()] == [True]  # noqa: SLF001 -- a part


def test_another_system(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has nothing like that."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(IsolationError, match="isolation needs Linux's namespaces"):
        isolate(["true"], {}, inside)
