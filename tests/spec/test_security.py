"""Security schemes, and the alternatives in which operations ask for them."""

import pytest

from mockserver.spec.security_model import Equals, Jwt
from tests.spec.writing import Case, assert_error, contract

KEY = """      type: apiKey
      in: header
      name: X-Key
      x-mock: {accept: {equals: /account/key}}
"""
JWT = "find: {claim: iss, equals: /account/apps/id}, key: secret"
TOKEN = f"""    Token:
      type: http
      scheme: Bearer
      x-mock:
        accept:
          jwt: {{{JWT}, algorithm: algorithm, roles: roles}}
"""
OTHER = """    Other:
      type: http
      scheme: bearer
      x-mock:
        accept:
          jwt:
            find: {header: kid, equals: /account/apps/id}
            key: secret
            algorithms: [HS256, HS512]
            require: [sub]
            claims: {aud: [/account/key, sms], iss: [acme]}
            max_age: 60
"""
CONSEQUENTIAL: dict[str, Case] = {
    "basic": (
        "type: apiKey\n      in: header",
        "type: http\n      scheme: basic",
        "accept: {equals: /account/key}",
        "http basic and 'accept: {basic: …}' go together",
    ),
    "cookie": (
        "      in: header\n      name: X-Key",
        "      in: cookie\n      name: X-Key",
        "apiKey",
        "only apiKey in header or query",
    ),
    "in a list": (
        "in: header\n      name: X-Key",
        "in: [header]\n      name: X-Key",
        "apiKey",
        "only apiKey in header or query",
    ),
    "no type": ("type: apiKey", "tpye: apiKey", "tpye: apiKey", "only apiKey in header or query"),
    "name": ("name: X-Key", "name: 5", "name: 5", "'name' must be a string"),
    "no x-mock": (KEY, KEY.rpartition("      x-mock")[0], "type: apiKey", "x-mock is missing: say with 'accept'"),
    "neither equals nor jwt": ("{equals: /account/key}", "{}", "accept: {}", "should be non-empty"),
    "equals the account": (
        "{equals: /account/key}",
        "{equals: /account}",
        "equals: /account}",
        "does not match '^/account",
    ),
    "no find": (
        "{equals: /account/key}",
        "{jwt: {key: secret, algorithm: a}}",
        "jwt:",
        "'find' is a required property",
    ),
    "two finds": (
        "{equals: /account/key}",
        "{jwt: {find: {claim: iss, header: kid, equals: /account/apps/id}, key: secret, algorithm: a}}",
        "jwt:",
        "valid under each of",
    ),
    "algorithm none": (
        "{equals: /account/key}",
        f"{{jwt: {{{JWT}, algorithms: [none]}}}}",
        "jwt:",
        '"none" is not one of "HS256"',
    ),
    "no such scheme": ("  - Key: []", "  - Kee: []", "- Kee", "there is no security scheme 'Kee'"),
    "components of no shape": (
        "  securitySchemes:\n    Key:\n",
        "  securitySchemes: [1]\n  rest:\n    Key:\n",
        "[1]",
        "must be a mapping",
    ),
}
ALONE: dict[str, Case] = {
    "roles of no list": ("  - Key: []", "  - Key: sender", "- Key: s", "roles must be a list of strings"),
    "roles of no strings": ("  - Key: []", "  - Key: [[sender]]", "- Key: [[", "roles must be a list of strings"),
    "roles nowhere kept": (
        "  - Key: []",
        "  - Key: [sender]",
        "- Key: [s",
        "no scheme here says where an account keeps them",
    ),
    "optional": (
        "  - Key: []",
        "  - Key: []\n  - {}",
        "- {}",
        "credentials that may also be left out cannot be checked",
    ),
}


@pytest.mark.parametrize("case", CONSEQUENTIAL.values(), ids=CONSEQUENTIAL)
def test_error(case: Case) -> None:
    """A scheme that cannot be checked is an error on its own line."""
    assert_error(case, alone=False)


@pytest.mark.parametrize("case", ALONE.values(), ids=ALONE)
def test_one_error(case: Case) -> None:
    """Alternatives that would accept clients that the vendor refuses are errors too."""
    assert_error(case)


def test_api_key() -> None:
    """The name of a header is in lower case, that of a parameter as it is written."""
    (key,) = contract().schemes
    assert (key.vendor, key.name, key.where, key.key, key.bearer) == ("acme", "Key", "header", "x-key", False)
    assert (key.accept, key.at) == (Equals("/account/key"), "/header/x-key")
    edits = (
        (KEY, KEY.replace("header", "query")),
        (" {problem: unauthenticated,", " {problem: unauthenticated, at: /query/X-Key,"),
    )
    (key,) = contract(*edits).schemes
    assert (key.where, key.key, key.at) == ("query", "X-Key", "/query/X-Key")


def test_tokens() -> None:
    """A bearer token's record is found by a claim or a header, and all of its conditions are kept."""
    _, token, other = contract((KEY, KEY + TOKEN + OTHER)).schemes
    assert (token.where, token.key, token.bearer) == ("header", "authorization", True)
    assert token.accept == Jwt("claim", "iss", "/account/apps/id", "secret", "algorithm", (), (), (), None, "roles")
    assert other.accept == Jwt(
        find_in="header",
        find="kid",
        claim="/account/apps/id",
        key="secret",
        algorithm=None,
        algorithms=("HS256", "HS512"),
        require=("sub",),
        claims=(("aud", ("/account/key", "sms")), ("iss", ("acme",))),
        max_age=60,
        roles=None,
    )


def test_alternatives() -> None:
    """Alternatives with the same schemes are one with several sets of roles; an operation may have its own."""
    required = "  - Key: []\n  - {Token: [sender], Key: []}\n  - {Token: [admin, owner], Key: []}\n"
    send, _, command = contract(
        ("  - Key: []\n", required),
        (KEY, KEY + TOKEN),
        ("{problem: unauthenticated, answer", "{problem: [unauthenticated, forbidden], answer"),
    ).operations
    assert [[scheme.name for scheme in a.schemes] for a in send.security] == [["Key"], ["Token", "Key"]]
    assert [a.roles for a in send.security] == [(frozenset(),), (frozenset({"sender"}), frozenset({"admin", "owner"}))]
    assert command.security == ()


def test_no_credentials() -> None:
    """A contract may ask for no credentials: one empty alternative, or none."""
    for nothing in ("[{}]", "[]"):
        open_to_all = contract(
            ("security:\n  - Key: []\n", f"security: {nothing}\n"),
            ("          - {problem: unauthenticated, answer: unauthorized}\n", ""),
        )
        assert [operation.security for operation in open_to_all.operations] == [(), (), ()]
