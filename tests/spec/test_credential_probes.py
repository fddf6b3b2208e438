"""Credentials that nobody could send are told when a contract is read, at the word that makes them so."""

import pytest

from tests.spec.test_security import KEY
from tests.spec.writing import changed, errors_of

JWT = "jwt: {find: {claim: iss, equals: /account/apps/id}, key: secret, algorithms: [HS256]}"
BASIC = "basic: {user: /account/users/name, password: /account/users/pass}"
ACCOUNT = """    users: [{name: {new: email}, pass: {new: token}}, {name: {new: email}, pass: {new: token}}]
    signers: [{id: {new: uuid}, text: {new: token}, rsa: {new: rsa}, number: {new: integer}, none: null, alg: RS256}]
    one: {id: {new: uuid}, secret: {new: token}}
    words: [{name: same, open: true, empty: ""}]
"""
SIGNED = "jwt: {find: {claim: iss, equals: /account/signers/id}, key: %s, %s}"


def told(accept: str) -> list[tuple[str, str]]:
    """The last names of the pointer and the message of each error of a contract with such a scheme."""
    kind = "type: apiKey\n      in: header\n      name: X-Key"
    kind = "type: http\n      scheme: basic" if accept.startswith("basic") else kind
    kind = "type: http\n      scheme: bearer" if accept.startswith("jwt") else kind
    text = changed((KEY, f"{KEY}    Other:\n      {kind}\n      x-mock: {{accept: {{{accept}}}}}\n"))
    text = text.replace("    key: {new: token, length: 20}\n", f"    key: {{new: token, length: 20}}\n{ACCOUNT}")
    return [(error.pointer.partition("/accept/")[2], error.message) for error in errors_of(text)]


WRONG = {
    "basic: {user: /account/users/name, password: /account/users/pas}": (
        "basic/password",
        "the record of /account/users/name has no member 'pas'",
    ),
    "basic: {user: /account/users/name, password: /account/key}": (
        "basic/password",
        "user and password are members of one record: /account/key is none beside /account/users/name",
    ),
    "basic: {user: /account/key, password: /account/users}": ("basic/password", "it must be text"),
    "basic: {user: /account/one/id, password: /account/one/secret}": (
        "basic/password",
        "/account/one is no list of records, so its record is the whole account",
    ),
    "basic: {user: /account/users/0/name, password: /account/users/0/pass}": (
        "basic/user",
        "looks through lists by itself: a number in it names nothing",
    ),
    "equals: /account/words/open": ("equals", "is no credential: it is true or false"),
    "equals: /account/words": ("equals", "is no credential: it is a mapping"),
    "equals: /account/words/empty": ("equals", "is no credential: it is empty"),
    "equals: /account/signers/none": ("equals", "is no credential: it is null"),
    SIGNED % ("text", "algorithms: [RS256]"): ("jwt/key", "signs nothing with RS256: it needs an RSA key in PEM"),
    SIGNED % ("text", "algorithm: alg"): ("jwt/key", "signs nothing with RS256: it needs an RSA key in PEM"),
    SIGNED % ("number", "algorithms: [HS256]"): ("jwt/key", "signs nothing with HS256: a key is text"),
    SIGNED % ("none", "algorithms: [HS256]"): ("jwt/key", "signs nothing with HS256: a key is text"),
    SIGNED % ("text", "algorithm: number"): ("jwt/algorithm", "the member 'number' holds no algorithm"),
    SIGNED % ("text", "algorithm: alx"): ("jwt/algorithm", "the record of /account/signers/id has no member 'alx'"),
    SIGNED % ("texd", "algorithms: [HS256]"): ("jwt/key", "the record of /account/signers/id has no member 'texd'"),
}
RIGHT = (
    "basic: {user: /account/users/name, password: /account/users/pass}",
    "basic: {user: /account/key, password: /account/key}",
    SIGNED % ("text", "algorithms: [HS256, RS256]"),
    SIGNED % ("rsa", "algorithm: alg"),
    "equals: /account/signers/number",
)


@pytest.mark.parametrize("accept", WRONG)
def test_a_credential_that_cannot_be_made(accept: str) -> None:
    """One error, at the member that is wrong."""
    ((at, message),) = told(accept)
    assert (at, WRONG[accept][1] in message) == (WRONG[accept][0], True), message


@pytest.mark.parametrize("accept", RIGHT)
def test_a_credential_that_can(accept: str) -> None:
    """No error."""
    assert told(accept) == []
