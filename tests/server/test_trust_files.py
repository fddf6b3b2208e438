"""Files for clients: what a client trusted before it trusts still, and each language finds its own form."""

import ssl
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from mockserver.engine.sources import Sources
from mockserver.server.certificates import TlsIdentity, make_identity, tls_context
from mockserver.server.trust_files import ADDING, REPLACING, SYSTEM_BUNDLES, bundle, write_trust_files
from tests.server.tls import handshake

NOW = Sources.real().now()


@pytest.fixture(scope="module")
def identity() -> TlsIdentity:
    return make_identity(("api.acme.example",), NOW)


@pytest.fixture(scope="module")
def other() -> TlsIdentity:
    return make_identity(("api.other.example",), NOW)


def trusted(pem: str) -> list[bytes]:
    """The certificates that a client trusts that reads this file alone."""
    return ssl.create_default_context(cadata=pem).get_ca_certs(binary_form=True)


def in_the_system() -> set[bytes]:
    return set(ssl.create_default_context().get_ca_certs(binary_form=True))


def test_all_forms(identity: TlsIdentity, tmp_path: Path) -> None:
    """The CA alone, in a bundle, for Java, and under the name by which OpenSSL looks for it; no key among them."""
    written = write_trust_files(tmp_path / "new" / "tls", identity, {})
    assert [path.name for path in written[:3]] == ["ca.pem", "bundle.pem", "trust.p12"]
    assert sorted(written) == sorted((tmp_path / "new" / "tls").iterdir())
    ca, bundled, java, hashed = written
    assert ca.read_text() == hashed.read_text() == identity.ca
    assert trusted(bundled.read_text())[-1] == trusted(identity.ca)[0]
    store = pkcs12.load_pkcs12(java.read_bytes(), b"changeit")
    assert [entry.friendly_name for entry in store.additional_certs] == [b"mockserver"]
    assert not any(b"PRIVATE KEY" in path.read_bytes() for path in written)
    assert all(path.stat().st_mode & 0o077 == 0o044 for path in written)


def test_openssl_finds_it_in_the_folder(identity: TlsIdentity, tmp_path: Path) -> None:
    """A client that is given the folder trusts the CA."""
    write_trust_files(tmp_path, identity, {})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(capath=tmp_path)
    assert handshake(tls_context(identity), context, "api.acme.example").version() == "TLSv1.3"


def test_the_bundle_keeps_what_was_trusted(identity: TlsIdentity, other: TlsIdentity, tmp_path: Path) -> None:
    """What the system has, and each file that a variable names: these variables replace what a client trusts."""
    named = tmp_path / "company.pem"
    named.write_text(f"# our own\r\n{other.ca}")
    names = (*REPLACING, *ADDING)
    assert {"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"} <= set(names)
    for name in names:
        merged = trusted(bundle(identity.ca, {name: str(named)}))
        assert {*in_the_system(), *trusted(other.ca), *trusted(identity.ca)} == set(merged), name
        assert len(merged) == len(set(merged)), name
    assert set(trusted(bundle(identity.ca, {names[0]: str(tmp_path / "none.pem")}))) == {
        *in_the_system(),
        *trusted(identity.ca),
    }


def test_a_folder_that_is_named(identity: TlsIdentity, other: TlsIdentity, tmp_path: Path) -> None:
    """All of its files' certificates are trusted; what else is in them is nothing."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "0a1b2c3d.0").write_text(other.ca)
    (tmp_path / "other.der").write_bytes(ssl.PEM_cert_to_DER_cert(other.ca))
    merged = trusted(bundle(identity.ca, {"REQUESTS_CA_BUNDLE": str(tmp_path)}))
    assert set(merged) == {*in_the_system(), *trusted(other.ca), *trusted(identity.ca)}


@pytest.mark.parametrize("work", ["read_text", "is_file", "is_dir", "iterdir"])
def test_what_is_named_and_cannot_be_read(
    identity: TlsIdentity, other: TlsIdentity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    """It is as if it were not there; what can be read is trusted as ever."""
    closed, opened = tmp_path / "closed", tmp_path / "opened.pem"
    closed.mkdir()
    opened.write_text(other.ca)
    done = getattr(Path, work)

    def try_to(path: Path, *args: object, **options: object) -> object:
        if path == closed / "a.pem" or (path == closed and work == "iterdir"):
            raise PermissionError(13, "Permission denied", str(path))
        return done(path, *args, **options)

    (closed / "a.pem").write_text(other.ca)
    monkeypatch.setattr(Path, work, try_to)
    named = closed if work == "iterdir" else closed / "a.pem"
    merged = bundle(identity.ca, {"REQUESTS_CA_BUNDLE": str(named), "AWS_CA_BUNDLE": str(opened)})
    assert set(trusted(merged)) == {*in_the_system(), *trusted(other.ca), *trusted(identity.ca)}
    assert set(trusted(bundle(identity.ca, {"REQUESTS_CA_BUNDLE": str(named)}))) <= {
        *in_the_system(),
        *trusted(identity.ca),
    }


def test_the_bundle_does_not_grow(identity: TlsIdentity, tmp_path: Path) -> None:
    """A bundle that was made before, and is named now, adds nothing."""
    first = bundle(identity.ca, {})
    (tmp_path / "bundle.pem").write_text(first)
    assert bundle(identity.ca, {"SSL_CERT_FILE": str(tmp_path / "bundle.pem")}) == first


def test_a_system_without_a_file(identity: TlsIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it trusts is asked of its library."""
    paths = ssl.get_default_verify_paths()
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths._replace(openssl_cafile="/nowhere"))
    monkeypatch.setattr("mockserver.server.trust_files.SYSTEM_BUNDLES", ())
    assert set(trusted(bundle(identity.ca, {}))) == {*in_the_system(), *trusted(identity.ca)}
    assert SYSTEM_BUNDLES


def test_files_are_replaced(identity: TlsIdentity, other: TlsIdentity, tmp_path: Path) -> None:
    """A renewed CA takes the place of the former."""
    write_trust_files(tmp_path, identity, {})
    write_trust_files(tmp_path, other, {})
    assert (tmp_path / "ca.pem").read_text() == other.ca
    assert [path.name for path in tmp_path.glob("*.new")] == []


def test_an_older_cryptography_makes_no_store_for_java(
    identity: TlsIdentity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other files are written all the same, and a newer one makes it of what was kept."""
    made_by_an_older = msgspec.structs.replace(identity, java_store=None)
    with monkeypatch.context() as patch:
        patch.delattr(pkcs12, "serialize_java_truststore", raising=False)
        assert "trust.p12" not in [path.name for path in write_trust_files(tmp_path, made_by_an_older, {})]
        assert (tmp_path / "ca.pem").read_text() == identity.ca
    if hasattr(pkcs12, "serialize_java_truststore"):
        assert "trust.p12" in [path.name for path in write_trust_files(tmp_path, made_by_an_older, {})]
