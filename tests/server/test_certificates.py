"""Certificates: for the vendors' hosts alone, accepted by TLS clients, kept for their user, and renewed in time."""

import ipaddress
import os
import ssl
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from mockserver.engine import sources
from mockserver.engine.sources import Sources
from mockserver.server.build import certificates_of, contracts_of
from mockserver.server.certificates import (
    VALID_SECONDS,
    Certificates,
    TlsIdentity,
    kept_identity,
    tls_context,
    vendor_hosts,
)
from mockserver.server.settings import Settings
from mockserver.spec.model import Contract
from tests.server.tls import handshake, trusting

HOSTS = ("api.acme.example", "eu.acme.example")
NOW = Sources.real().now()
DAY = 86_400


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "mockserver"


@pytest.fixture
def said() -> list[str]:
    return []


def certificates(said: list[str], now: float = NOW, hosts: tuple[str, ...] = HOSTS) -> Certificates:
    return Certificates(hosts, lambda: now, said.append)


@pytest.mark.parametrize("host", [*HOSTS, "localhost", "127.0.0.1", "::1"])
def test_a_client_that_trusts_the_ca_accepts_every_host(said: list[str], host: str) -> None:
    """One certificate is for the hosts, and for this machine; HTTP/1.1 is agreed on."""
    made = certificates(said)
    client = handshake(made.context(), trusting(made.identity().ca), host)
    assert client.getpeercert()["notAfter"]  # type: ignore[index]
    assert (client.selected_alpn_protocol(), client.version()) == ("http/1.1", "TLSv1.3")
    assert said == []


def test_no_other_host_is_vouched_for(said: list[str]) -> None:
    """The certificate has no other host, and the CA, critically, can sign for none."""
    identity = certificates(said).identity()
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(tls_context(identity), trusting(identity.ca), "www.other.example")
    ca = x509.load_pem_x509_certificate(identity.ca.encode())
    constraints = ca.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [str(name.value) for name in constraints.value.permitted_subtrees or ()] == [
        *HOSTS,
        "localhost",
        *("127.0.0.0/8", "::1/128"),
    ]


def test_what_a_certificate_is_made_of(said: list[str]) -> None:
    """A curve that is quick, 397 days from yesterday on, for servers only; the CA has a name and serial of its own."""
    identity = certificates(said).identity()
    ca, leaf = (x509.load_pem_x509_certificate(pem.encode()) for pem in (identity.ca, identity.certificate))
    other = x509.load_pem_x509_certificate(certificates(said, hosts=HOSTS[:1]).identity().ca.encode())
    assert ca.subject != other.subject
    assert ca.serial_number != other.serial_number
    assert leaf.signature_algorithm_oid == SignatureAlgorithmOID.ECDSA_WITH_SHA256
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == VALID_SECONDS / DAY == 397
    assert leaf.not_valid_before_utc.timestamp() == pytest.approx(NOW - DAY, abs=1)
    assert identity.until == pytest.approx(leaf.not_valid_after_utc.timestamp(), abs=1)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [*HOSTS, "localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address(a) for a in ("127.0.0.1", "::1")]
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    with pytest.raises(x509.ExtensionNotFound):
        leaf.extensions.get_extension_for_class(x509.NameConstraints)


def test_it_is_kept_for_its_user(said: list[str], state: Path) -> None:
    """The next start finds the same CA; nobody else can read its file, in which the CA's key is not."""
    made = certificates(said)
    assert certificates(said).identity() == made.identity()
    assert [file.name for file in state.iterdir()] == [made.file.name]
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert made.file.read_text("ascii").count("PRIVATE KEY") == 2  # where the one key begins, and where it ends


def test_what_is_kept_needs_no_cryptography(said: list[str], tmp_path: Path) -> None:
    """A start that makes nothing does not wait until the library is loaded."""
    certificates(said).identity()
    program = f"""
import sys
from pathlib import Path
from mockserver.server.certificates import Certificates
from mockserver.server.trust_files import write_trust_files
kept = Certificates({HOSTS!r}, lambda: {NOW!r}, print)
write_trust_files(Path({str(tmp_path / "files")!r}), kept.identity())
kept.context()
print(sorted(name for name in sys.modules if name == "cryptography"))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_each_set_of_hosts_has_its_own(said: list[str], state: Path) -> None:
    """A server of other contracts does not take the file of the first."""
    first, other = certificates(said), certificates(said, hosts=("api.other.example",))
    assert first.identity().ca != other.identity().ca
    assert certificates(said).identity() == first.identity()
    assert len(list(state.iterdir())) == 2


@pytest.mark.parametrize(("days", "stays"), [(300, True), (365, True), (367, False), (500, False)])
def test_it_is_renewed_before_it_ends(said: list[str], days: int, stays: bool) -> None:
    """Thirty days before, by a server that starts then and by one that runs on."""
    clock = [NOW]
    running = Certificates(HOSTS, lambda: clock[0], said.append)
    before, context = running.identity(), running.context()
    assert running.ready is context
    clock[0] += days * DAY
    assert (running.ready is context) is stays
    assert (certificates(said, clock[0]).identity() == before) is stays
    assert (running.context() is context) is stays
    assert running.identity() == certificates(said, clock[0]).identity()


@pytest.mark.parametrize(("days", "stays"), [(-0.9, True), (-1.1, False), (-500, False)])
def test_one_that_is_not_valid_yet_is_replaced(said: list[str], days: float, stays: bool) -> None:
    """By a server that runs on, and by one that starts: no client would accept it."""
    clock = [NOW]
    running = Certificates(HOSTS, lambda: clock[0], said.append)
    before, context = running.identity(), running.context()
    clock[0] += days * DAY
    assert (running.ready is context) is stays
    assert (certificates(said, clock[0]).identity() == before) is stays
    assert (running.identity() == before) is stays


@pytest.mark.parametrize("moved", [2 * DAY, 25 * 365 * DAY, -10 * 365 * DAY])
def test_a_clock_that_a_test_moves_changes_nothing(
    said: list[str], moved: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a server makes is good by the time of OpenSSL, which no test moves, and what is kept stays."""
    monkeypatch.setattr(sources, "real_time", lambda: NOW + moved)
    made = certificates_of(Settings(), ()).identity()
    assert handshake(tls_context(made), trusting(made.ca), "localhost").version() == "TLSv1.3"
    assert certificates_of(Settings(), ()).identity() == made
    assert certificates(said, hosts=()).identity() == made


CHANGING = """
import datetime
from mockserver.server.certificates import make_identity

class Frozen(datetime.datetime):
    pass

own = (datetime.datetime,)  # not among a module's own names, as freezegun's ways are
for kind in (Frozen, *own, Frozen):
    datetime.datetime = kind
    print(make_identity(("api.acme.example",), 1.8e9).until)
"""


def test_the_class_of_datetimes_may_change() -> None:
    """A library that freezes time replaces it, and cryptography remembers the first that it sees."""
    ended = subprocess.run([sys.executable, "-c", CHANGING], capture_output=True, text=True, check=False)
    assert (ended.stdout.count("1834214400"), ended.stderr) == (3, "")


def test_whoever_asks_is_told_of_a_new_one(said: list[str]) -> None:
    """So that files for clients are written again."""
    clock, told = [NOW], list[TlsIdentity]()
    running = Certificates(HOSTS, lambda: clock[0], said.append, told.append)
    for _ in range(2):
        running.context()
        running.identity()
    clock[0] += 390 * DAY
    running.context()
    assert [one.until for one in told] == sorted({one.until for one in told})
    assert told[-1] == running.identity()
    assert len(told) == 2


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00", b'{"hosts": []}'])
def test_a_damaged_file_is_replaced(said: list[str], content: bytes) -> None:
    """Whatever is in it."""
    made = certificates(said)
    made.file.parent.mkdir(parents=True)
    made.file.write_bytes(content)
    assert kept_identity(made.file, HOSTS, NOW) == made.identity()
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600


BROKEN = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("part", ["ca", "certificate", "key"])
@pytest.mark.parametrize("content", ["", "garbage", BROKEN, "ü"])
def test_a_damaged_part_is_noticed(said: list[str], part: str, content: str) -> None:
    """All is made anew and kept, before any client has been told to trust the former CA."""
    before = certificates(said).identity()
    damaged = msgspec.structs.replace(before, **{part: content})
    certificates(said).file.write_bytes(msgspec.json.encode(damaged))
    found = certificates(said)
    assert handshake(found.context(), trusting(found.identity().ca), HOSTS[0]).version() == "TLSv1.3"
    assert found.identity().ca != before.ca
    assert certificates(said).identity() == found.identity()
    assert said == []


def test_a_key_of_another_certificate_is_noticed(said: list[str]) -> None:
    """Likewise."""
    before, other = certificates(said).identity(), certificates(said, hosts=HOSTS[:1]).identity()
    certificates(said).file.write_bytes(msgspec.json.encode(msgspec.structs.replace(before, key=other.key)))
    assert certificates(said).identity().ca != before.ca


def test_a_file_that_others_could_read(said: list[str]) -> None:
    """It is closed to them when it is next used."""
    made = certificates(said)
    before = made.identity()
    made.file.chmod(0o644)
    assert certificates(said).identity() == before
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600


def test_many_starts_at_once_agree(said: list[str], state: Path) -> None:
    """Of several that find no file, the first one's is all of theirs."""
    starts = [certificates(said) for _ in range(8)]
    with ThreadPoolExecutor(len(starts)) as pool:
        found = set(pool.map(lambda start: start.identity().ca, starts))
    assert len(found) == 1
    assert len(list(state.iterdir())) == 1


@pytest.mark.parametrize("trouble", ["a file", "no home"])
def test_where_nothing_can_be_kept(
    said: list[str], tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made in memory, and a line says so."""
    if trouble == "a file":
        (tmp_path / "state").write_text("not a folder")
    else:

        def no_home() -> Path:
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.delenv("XDG_STATE_HOME")
        monkeypatch.setattr(Path, "home", no_home)
    made = certificates(said)
    assert handshake(made.context(), trusting(made.identity().ca), HOSTS[0]).version() == "TLSv1.3"
    assert len(said) == 1
    assert said[0].startswith("certificates are made anew at each start: ")
    assert said[0].endswith(("(Not a directory)", "(Could not determine home directory.)"))


def test_without_files_in_memory(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a system has none, a temporary file holds key and certificate while they are read."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    made = certificates(said)
    assert handshake(made.context(), trusting(made.identity().ca), HOSTS[0]).version() == "TLSv1.3"


def test_hosts_come_from_the_contracts() -> None:
    """All servers of all contracts, without this machine's own names, addresses, and templates."""
    hosts = vendor_hosts(contracts_of(Settings()))
    assert len(hosts) >= 5
    assert list(hosts) == sorted(set(hosts))
    local = ("http://localhost:8080", "http://127.0.0.1/x", "http://[::1]/", "https://{region}.acme.example")
    servers = ("https://API.acme.example:8443/base", "https://b.acme.example", *local)
    contract = Contract("acme", "", "", "", servers, (), (), {}, {}, {}, frozenset(), {}, (), {})
    assert vendor_hosts([contract]) == ("api.acme.example", "b.acme.example")
