"""Signed tokens: read, made, and verified only by the right key with the algorithm that was asked for."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.signing import Signer, check_rsa_key, is_signed_by, read_token, sign
from mockserver.store.accounts import test_only_rsa_key as rsa_key
from tests.properties import examples

SECRET = "a shared secret"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token(header: Any, claims: Any = None, signature: bytes = b"x") -> str:
    """A token of any halves, signed by nobody."""
    return ".".join(
        (encoded(json.dumps(header).encode()), encoded(json.dumps(claims or {}).encode()), encoded(signature))
    )


def public_key() -> str:
    private = serialization.load_pem_private_key(rsa_key().encode(), None)
    public = private.public_key()
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return public.public_bytes(*form).decode()


def unsound_key() -> str:
    """A private key in PEM whose numbers are of no key: it can be read, and what it signs verifies with no key."""
    private = serialization.load_pem_private_key(rsa_key().encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    n = private.private_numbers()
    wrong = rsa.RSAPrivateNumbers(n.p, n.q, n.d + 2, n.dmp1 + 2, n.dmq1, n.iqmp, n.public_numbers)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return wrong.private_key(unsafe_skip_rsa_key_validation=True).private_bytes(*form).decode()


def test_an_unsound_rsa_key_is_told() -> None:
    """A key is checked once, when an account is made; not whenever it signs, which would take 35 ms each time."""
    check_rsa_key(rsa_key())
    for key in (unsound_key(), public_key(), SECRET, ""):
        with pytest.raises(ValueError, match=r"\w"):
            check_rsa_key(key)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512"])
def test_what_a_key_signs_verifies_with_it_alone(algorithm: str) -> None:
    """A token is its key's by its own algorithm; changed in any part, or by another key, it is not."""
    key = rsa_key() if algorithm.startswith("RS") else SECRET
    text = sign({"alg": algorithm, "kid": "k"}, {"iss": "ü"}, key)
    read = read_token(text)
    assert read is not None
    assert (read.header, read.claims) == ({"alg": algorithm, "typ": "JWT", "kid": "k"}, {"iss": "ü"})
    assert is_signed_by(text, key, algorithm)
    head, claims, signature = text.split(".")
    assert not is_signed_by(".".join((head, encoded(b'{"iss":"u"}'), signature)), key, algorithm)
    assert not is_signed_by(f"{head}.{claims}.{signature[:-4]}", key, algorithm)
    assert not is_signed_by(f"{head}.{claims}.", key, algorithm)
    assert not is_signed_by(text, SECRET + "s", "HS256")
    others = {"HS256", "HS512", "RS256", "RS512"} - {algorithm}
    assert not any(is_signed_by(text, rsa_key() if other[0] == "R" else SECRET, other) for other in others)


def test_a_token_signed_with_the_public_key_as_a_secret_is_not_the_private_keys() -> None:
    """HMAC by a key that everybody knows is no RSA signature, whatever algorithm is asked for."""
    forged = sign({"alg": "HS256"}, {}, public_key())
    assert is_signed_by(forged, public_key(), "HS256")
    assert not is_signed_by(forged, rsa_key(), "RS256")
    assert not is_signed_by(forged, rsa_key(), "HS256")


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256"])
def test_an_unsigned_token_is_nobodys(algorithm: str) -> None:
    """`alg: none` verifies by no key, not even where an account names that algorithm."""
    unsigned = token({"alg": "none"}, signature=b"")
    assert not is_signed_by(unsigned, SECRET, algorithm)


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        pytest.param("none", SECRET, id="none"),
        pytest.param("HS257", SECRET, id="unknown-algorithm"),
        pytest.param("RS257", rsa_key(), id="unknown-rsa-algorithm"),
        pytest.param("HS256", "", id="empty-secret"),
        pytest.param("HS256", "\ud800", id="no-text"),
        pytest.param("HS256", 7, id="number"),
        pytest.param("RS256", 7, id="number-for-rsa"),
        pytest.param("RS256", SECRET, id="no-key"),
        pytest.param("RS256", public_key(), id="public-key"),
    ],
)
def test_a_key_that_cannot_sign(algorithm: str, key: Any) -> None:
    """Whoever gave such a key is told by one kind of error."""
    with pytest.raises(ValueError, match=r"\w"):
        sign({"alg": algorithm}, {}, key)


def test_a_short_secret_is_the_customers_choice() -> None:
    """No warning, which a strict test suite would take for an error."""
    assert is_signed_by(sign({"alg": "HS256"}, {}, "x"), "x", "HS256")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("word", id="word"),
        pytest.param("a.b", id="two-parts"),
        pytest.param("a.b.c.d", id="four-parts"),
        pytest.param("ü.ü.ü", id="no-ascii"),
        pytest.param(token([]), id="header-a-list"),
        pytest.param(token(None), id="header-null"),
        pytest.param(token({}), id="header-without-alg"),
        pytest.param(f"{encoded(b'{')}.{encoded(b'{}')}.x", id="header-no-json"),
        pytest.param(f"{encoded(b'[' * 100_000)}.{encoded(b'{}')}.x", id="header-bottomless"),
        pytest.param(token({"alg": "HS256"}, [1]), id="claims-a-list"),
        pytest.param(f"{encoded(json.dumps({'alg': 'HS256'}).encode())}.{encoded(b'x')}.x", id="claims-no-json"),
        pytest.param(f"{encoded(json.dumps({'alg': 'HS256'}).encode())}.{encoded(b'[' * 100_000)}.x", id="bottomless"),
    ],
)
def test_what_is_no_token(text: str) -> None:
    """Nothing that is not a compact JWT of two objects is read or verified, and nothing raises."""
    assert read_token(text) is None
    assert not is_signed_by(text, SECRET, "HS256")


headers = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x5c", "zip"]),
    st.recursive(st.none() | st.booleans() | st.integers() | st.sampled_from(["HS256", "b64", "exp", ""]), st.lists),
)


@given(headers, st.binary(max_size=8))
@settings(deadline=None, max_examples=examples(60), derandomize=True)
def test_no_header_makes_verifying_fail(header: dict[str, Any], signature: bytes) -> None:
    """A client can write any header; the answer to that is no."""
    text = token(header, {"a": 1}, signature)
    read = read_token(text)
    assert read is None or read.header == header
    assert not is_signed_by(text, SECRET, "HS256")
    assert not is_signed_by(text, rsa_key(), "RS256")


def test_a_signer_remembers_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is read once, whatever else is signed between; each token is signed by the key that is given for it."""
    read = serialization.load_pem_private_key
    keys: list[bytes] = []

    def counted(text: bytes, *more: Any, **options: Any) -> Any:
        keys.append(text)
        return read(text, *more, **options)

    monkeypatch.setattr("mockserver.engine.signing.load_pem_private_key", counted)
    signer = Signer()
    made = [
        (key, algorithm, signer.sign({"alg": algorithm}, {"n": number}, key))
        for number in range(3)
        for key, algorithm in ((rsa_key(), "RS256"), (SECRET, "HS256"), ("another", "HS256"))
    ]
    assert keys == [rsa_key().encode()]
    assert all(is_signed_by(text, key, algorithm) for key, algorithm, text in made)
    assert not is_signed_by(made[1][2], "another", "HS256")
