"""A CA that can sign for some hosts only, and signs one certificate for all of them.

Its key is thrown away then: whoever trusts the CA trusts nothing else.
"""

import datetime as dt
import hashlib
import ipaddress
from base64 import b64decode

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOCAL_NAME = "localhost"
LOCAL_ADDRESSES = ("127.0.0.1", "::1")
LOCAL_NETS = ("127.0.0.0/8", "::1/128")
STORE_PASSWORD = b"changeit"  # Java's own default; such a store holds nothing secret

Span = tuple[dt.datetime, dt.datetime]

# the least that can be read as one: a serial number, no names, no key, and from 1970 until 1970
_LEAST_CERTIFICATE = (
    "MFAwPwIBATAKBggqhkjOPQQDAjAAMB4XDTcwMDEwMTAwMDAwMFoXDTcwMDEwMTAwMDAwMFowADAKMAUGAytlcAMBADAKBggqhkjOPQQDAgMBAA=="
)


def certify(hosts: tuple[str, ...], since: float, until: float) -> tuple[str, str, str]:
    """A certificate for these hosts, localhost and the loopback addresses, valid between two Unix times.

    Returns the CA, the certificate and its key, as PEM.
    """
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    span = moment(since), moment(until)
    ca = _ca(hosts, ca_key, span)
    certificate = _certificate(hosts, key, ca, ca_key, span)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    return _pem(ca), _pem(certificate), private


def moment(time: float) -> dt.datetime:
    """A Unix time as a datetime of the class that cryptography takes, and no other.

    It remembers the first that it meets: under freezegun that is freezegun's own, which is another one afterwards.
    """
    least = x509.load_der_x509_certificate(b64decode(_LEAST_CERTIFICATE))
    epoch: dt.datetime = getattr(least, "not_valid_before_utc", None) or least.not_valid_before  # until version 42
    return epoch + dt.timedelta(seconds=time)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _ca(hosts: tuple[str, ...], key: ec.EllipticCurvePrivateKey, span: Span) -> x509.Certificate:
    own_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = _name(f"mockserver test ca {own_id.digest.hex()[:8]}")  # each CA another: Firefox refuses a name it knows
    nets = [x509.IPAddress(ipaddress.ip_network(net)) for net in LOCAL_NETS]
    return (
        _builder(name, name, key, span)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.NameConstraints([*_names(hosts), *nets], None), critical=True)
        .add_extension(own_id, critical=False)
        .sign(key, SHA256())
    )


def _certificate(
    hosts: tuple[str, ...],
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    span: Span,
) -> x509.Certificate:
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in LOCAL_ADDRESSES]
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return (
        _builder(_name("mockserver"), ca.subject, key, span)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([*_names(hosts), *addresses]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(signer, critical=False)
        .sign(ca_key, SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, span: Span
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(serial_number=x509.random_serial_number())
    builder = builder.subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return builder.not_valid_before(span[0]).not_valid_after(span[1])


def _names(hosts: tuple[str, ...]) -> list[x509.DNSName]:
    return [x509.DNSName(host) for host in (*hosts, LOCAL_NAME)]


def _name(text: str) -> x509.Name:
    """Lower case and single blanks, which ``folder_name`` counts on."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _usage(*granted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in granted for usage in USAGES})


def folder_name(ca: str) -> str:
    """The name under which OpenSSL finds a CA of ours in a folder: ``openssl x509 -hash``, and a number."""
    encoded = x509.load_pem_x509_certificate(ca.encode("ascii")).subject.public_bytes()
    names = encoded[2:] if encoded[1] < 0x80 else encoded[3:]  # without the sequence's own head
    digest = hashlib.sha1(names, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}.0"


def java_store(ca: str) -> bytes | None:
    """A trust store that Java reads, with this CA alone; None where cryptography is older than 45, and makes none."""
    serialize = getattr(pkcs12, "serialize_java_truststore", None)
    if serialize is None:
        return None
    entry = pkcs12.PKCS12Certificate(x509.load_pem_x509_certificate(ca.encode("ascii")), b"mockserver")
    store: bytes = serialize([entry], BestAvailableEncryption(STORE_PASSWORD))
    return store
