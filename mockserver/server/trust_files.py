"""The files by which clients in any language come to trust the server's CA."""

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what bundles certificates in a test needs the standard library only
    from mockserver.server.certificates import TlsIdentity

CA = "ca.pem"  # the CA alone, for clients that add it to what they trust
BUNDLE = "bundle.pem"  # for those that trust a file's certificates and no others
JAVA_STORE = "trust.p12"

REPLACING = (
    "SSL_CERT_FILE",  # OpenSSL, and so Python's ssl, httpx, Go, Ruby; rustls
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTPLIB2_CA_CERTS",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
    "PERL_LWP_SSL_CA_FILE",
)
"""Variables, each of which names all that its clients trust: so their file has the system's certificates, too."""

ADDING = ("NODE_EXTRA_CA_CERTS", "DENO_CERT")
"""Each names what its clients trust beside their own."""

SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\r?\n.*?-----END CERTIFICATE-----", re.DOTALL)


def write_trust_files(
    folder: Path, identity: "TlsIdentity", environment: Mapping[str, str] | None = None
) -> list[Path]:
    """Write all of them; returns their paths. Raises OSError.

    A client in Java needs a file that only cryptography from 45 on makes; with an older one it is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ca = identity.ca.encode("ascii")
    contents = {
        CA: ca,
        BUNDLE: bundle(identity.ca, os.environ if environment is None else environment).encode("utf-8"),
        JAVA_STORE: identity.trust_store(),
        identity.folder_name: ca,
    }
    written = {folder / name: data for name, data in contents.items() if data is not None}
    for path, data in written.items():
        new = path.with_name(path.name + ".new")  # a client that reads meanwhile finds the old one or the new one
        new.write_bytes(data)
        new.replace(path)
    return list(written)


def bundle(ca: str, environment: Mapping[str, str]) -> str:
    """What the system trusts, what the environment names already, and this CA; each once."""
    texts = [*_system_certificates(), *_named_certificates(environment), *_CERTIFICATE.findall(ca)]
    return "\n".join(dict.fromkeys(text.replace("\r\n", "\n") for text in texts)) + "\n"


def certificates_in(path: Path) -> list[str]:
    """Those in a file, or in the files of a folder, as PEM; none where it cannot be read or holds something else."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
    except OSError:
        return []
    return [certificate for file in files for certificate in _CERTIFICATE.findall(_text(file))]


def _system_certificates() -> list[str]:
    """They are not parsed: a library may warn of some that are there in all systems."""
    known = (ssl.get_default_verify_paths().openssl_cafile, *SYSTEM_BUNDLES)
    for certificates in map(certificates_in, map(Path, known)):
        if certificates:
            return certificates
    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    return [ssl.DER_cert_to_PEM_cert(certificate).rstrip("\n") for certificate in found]


def _named_certificates(environment: Mapping[str, str]) -> Iterator[str]:
    """Those that a client goes on to trust, whichever variable has named them."""
    for name in (*REPLACING, *ADDING):
        if environment.get(name):
            yield from certificates_in(Path(environment[name]))


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", errors="replace") if file.is_file() else ""
    except OSError:  # it is closed to us, as it is to the client
        return ""
