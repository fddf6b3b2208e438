"""Credentials: who a request proves to be, and each reason why it does not."""

from typing import Any

import pytest

from mockserver.engine.account import token_parts
from mockserver.engine.authentication import LEEWAY, Identity
from mockserver.engine.signing import sign
from tests.engine.test_signing import public_key
from tests.engine.workbench import NOW, Bench, authenticate, jwt_of, request


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def token(bench: Bench, scheme: str, *, of: int = 0, key: str = "", header: Any = None, **claims: Any) -> str:
    """A token of the first account's client number ``of``; None removes a claim."""
    record = bench.mine["clients"][of]
    head, body = token_parts(jwt_of(scheme), bench.mine, record["id"], record, NOW)
    head = {**head, "alg": record["algorithm"], **(header or {})}
    return sign(head, {n: v for n, v in {**body, **claims}.items() if v is not None}, key or record["secret"])


def identity(bench: Bench, to: str, *, query: str = "", **headers: str) -> Identity:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return authenticate(request(to, headers=sent, query=query), bench.facts())


def faults(found: Identity) -> list[tuple[str, str, str]]:
    return [(problem.kind, problem.at, problem.reason) for problem in found.problems]


def test_no_security_asks_for_nothing(bench: Bench) -> None:
    """An operation without security proves nothing and refuses nothing."""
    assert identity(bench, "post_form", x_key="wrong") == Identity()


def test_equal_key(bench: Bench) -> None:
    """The account's own value proves the account, and binds the record that it stands in."""
    found = identity(bench, "send_sms", x_key=bench.mine["key"])
    assert (found.account, found.problems) == (bench.one, ())
    assert found.records == {"key": bench.mine}


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        pytest.param({}, "absent", id="absent"),
        pytest.param({"x_key": ""}, "malformed", id="empty"),
        pytest.param({"x_key": "nobody's"}, "unknown", id="unknown"),
    ],
)
def test_wrong_key(bench: Bench, headers: dict[str, str], reason: str) -> None:
    """A key that is absent, empty or nobody's proves nothing."""
    found = identity(bench, "send_sms", **headers)
    assert (found.account, faults(found)) == (None, [("unauthenticated", "/header/x-key", reason)])


def test_a_credential_given_twice(bench: Bench) -> None:
    """Nobody can tell which of two is meant, so neither proves anything; a call is still told to whom it may belong."""
    pin, key = bench.mine["pin"], bench.mine["key"]
    found = identity(bench, "post_merged", query=f"pin={pin}&key={key}&key={key}")
    assert faults(found) == [("unauthenticated", "/query/key", "malformed")]
    assert "more than once" in found.problems[0].message
    assert found.account is None
    assert key in dict(request("post_merged", query=f"pin={pin}&key={key}&key=0").claims).values()


def test_two_credentials_must_be_one_accounts(bench: Bench) -> None:
    """Where two are asked for, both count, and must belong together."""
    pin, key = bench.mine["pin"], bench.mine["key"]
    assert identity(bench, "post_merged", query=f"pin={pin}&key={key}").account is bench.one
    assert faults(identity(bench, "post_merged", query=f"pin={pin}&key={bench.theirs['key']}")) == [
        ("unauthenticated", "/query/key", "signature")
    ]
    assert faults(identity(bench, "post_merged", query="pin=1")) == [("unauthenticated", "/query/key", "absent")]
    assert faults(identity(bench, "post_merged")) == [
        ("unauthenticated", "/query/pin", "absent"),
        ("unauthenticated", "/query/key", "absent"),
    ]


def test_alternatives(bench: Bench) -> None:
    """The first alternative that is there completely decides; else the one that is there in part is asked for."""
    key, pin = bench.mine["key"], bench.mine["pin"]
    assert identity(bench, "by_both", query=f"pin={pin}&key={key}", x_key=key).account is bench.one
    assert identity(bench, "by_both", x_key=key, x_token=token(bench, "Kid")).account is bench.one
    both = identity(bench, "by_both", query=f"pin={pin}&key={key}", x_key=key, x_token="word")
    assert faults(both) == [("unauthenticated", "/header/x-token", "malformed")]
    for found, at in (
        (identity(bench, "by_both", x_token=token(bench, "Kid")), ["/header/x-key"]),
        (identity(bench, "by_both", query=f"pin={pin}"), ["/query/key"]),
        (identity(bench, "by_both"), ["/header/x-key", "/header/x-token"]),
    ):
        assert faults(found) == [("unauthenticated", place, "absent") for place in at]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param("", "malformed", id="empty"),
        pytest.param("Basic abc", "malformed", id="other-scheme"),
        pytest.param("Bearer", "malformed", id="no-token"),
        pytest.param("Bearer word", "malformed", id="no-jwt"),
    ],
)
def test_bearer_without_a_token(bench: Bench, value: str, reason: str) -> None:
    """What is not `Bearer <JWT>` is malformed."""
    assert faults(identity(bench, "by_claim", authorization=value)) == [
        ("unauthenticated", "/header/authorization", reason)
    ]


@pytest.mark.parametrize("written", ["Bearer {}", "bearer {}", "BEARER  {} "])
def test_bearer_in_any_case(bench: Bench, written: str) -> None:
    """The scheme's name is no secret: any case, any number of spaces."""
    found = identity(bench, "by_claim", authorization=written.format(token(bench, "Claim")))
    assert (found.account, found.problems) == (bench.one, ())
    assert found.records == {"clients": bench.mine["clients"][0]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"app": None}, "claims", id="no-id"),
        pytest.param({"app": "nobody"}, "unknown", id="unknown-id"),
        pytest.param({"app": ["x"]}, "unknown", id="id-no-text"),
        pytest.param({"iat": None}, "claims", id="required-claim-missing"),
        pytest.param({"key": "another secret"}, "signature", id="other-key"),
        pytest.param({"header": {"alg": "HS512"}}, "signature", id="other-algorithm"),
        pytest.param({"of": 2, "key": "x", "header": {"alg": "HS256"}}, "signature", id="hmac-for-rsa"),
        pytest.param({"of": 2, "key": public_key(), "header": {"alg": "HS256"}}, "signature", id="hmac-by-public-key"),
        pytest.param({"exp": int(NOW)}, "expired", id="expired-this-second"),
        pytest.param({"exp": NOW - 0.5}, "expired", id="expired-half-a-second-ago"),
        pytest.param({"exp": "soon"}, "claims", id="exp-no-number"),
        pytest.param({"exp": True}, "claims", id="exp-boolean"),
        pytest.param({"exp": float("nan")}, "claims", id="exp-nan"),
        pytest.param({"nbf": NOW + LEEWAY + 1}, "claims", id="not-yet"),
        pytest.param({"nbf": NOW + 5.5}, "claims", id="more-than-five-seconds-ahead"),
        pytest.param({"nbf": "now"}, "claims", id="nbf-no-number"),
        pytest.param({"iat": int(NOW) + LEEWAY + 1}, "claims", id="made-in-the-future"),
    ],
)
def test_refused_tokens(bench: Bench, change: dict[str, Any], reason: str) -> None:
    """Each thing wrong with a token has its reason, and proves no account."""
    found = identity(bench, "by_claim", authorization=f"Bearer {token(bench, 'Claim', **change)}")
    assert (found.account, faults(found)) == (None, [("unauthenticated", "/header/authorization", reason)])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="no-exp-never-expires"),
        pytest.param({"exp": NOW + 0.5}, id="fractional-exp"),
        pytest.param({"exp": 10**400}, id="far-future"),
        pytest.param({"iat": NOW + LEEWAY, "nbf": NOW + LEEWAY}, id="clocks-differ-a-little"),
        pytest.param({"iat": NOW + 5}, id="five-seconds-ahead"),
        pytest.param({"iat": -(10**400), "jti": 7, "aud": [1]}, id="claims-nobody-asked-for"),
        pytest.param({"of": 2}, id="rsa"),
    ],
)
def test_accepted_tokens(bench: Bench, change: dict[str, Any]) -> None:
    """Times are checked where present, by this clock with a little leeway; other claims are the vendor's business."""
    found = identity(bench, "by_claim", authorization=f"Bearer {token(bench, 'Claim', **change)}")
    assert (found.account, found.problems) == (bench.one, ())


def test_unsigned_token(bench: Bench) -> None:
    """`alg: none` proves nothing."""
    signed = token(bench, "Claim", header={"typ": "none"}).split(".")
    unsigned = sign({"alg": "HS256"}, {}, "x").split(".")
    from_none = "eyJhbGciOiJub25lIn0"  # {"alg":"none"}
    for text in (f"{from_none}.{signed[1]}.", f"{from_none}.{signed[1]}.{unsigned[2]}"):
        found = identity(bench, "by_claim", authorization=f"Bearer {text}")
        assert faults(found) == [("unauthenticated", "/header/authorization", "signature")]


def test_missing_role(bench: Bench) -> None:
    """A good credential without a role is forbidden, and still proves its account; all that would do is named."""
    found = identity(bench, "by_claim", authorization=f"Bearer {token(bench, 'Claim', of=1)}")
    assert (found.account, faults(found)) == (bench.one, [("forbidden", "/header/authorization", "")])
    assert found.problems[0].message == "the credential lacks: admin or send"


def test_roles_beside_a_key(bench: Bench) -> None:
    """Where a key and a token are asked for, the token's record holds the roles; each binds its own record."""
    key = bench.mine["key"]
    for of, refused in ((0, []), (1, [("forbidden", "/header/authorization", "")])):
        bearer = f"Bearer {token(bench, 'Claim', of=of)}"
        found = identity(bench, "by_key_and_claim", x_key=key, authorization=bearer)
        assert (found.account, faults(found)) == (bench.one, refused)
        assert found.records == {"key": bench.mine, "clients": bench.mine["clients"][of]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"header": {"kid": "nobody"}}, "unknown", id="unknown-kid"),
        pytest.param({"iss": "MISSING"}, "claims", id="other-issuer"),
        pytest.param({"iss": True}, "claims", id="issuer-boolean"),
        pytest.param({"iss": None}, "claims", id="no-issuer"),
        pytest.param({"exp": None}, "claims", id="no-exp"),
        pytest.param({"iat": NOW - 0.5, "exp": NOW + 600}, "claims", id="lives-too-long"),
        pytest.param({"iat": NOW - 0.5, "exp": 10**400}, "claims", id="lives-for-ever"),
        pytest.param({"header": {"alg": "HS512"}}, "signature", id="algorithm-not-listed"),
    ],
)
def test_refused_by_kid(bench: Bench, change: dict[str, Any], reason: str) -> None:
    """A token found by its header is held against its account's claims and a longest life."""
    found = identity(bench, "by_kid", x_token=token(bench, "Kid", **change))
    assert (found.account, faults(found)) == (None, [("unauthenticated", "/header/x-token", reason)])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="own-number"),
        pytest.param({"iss": "fixed"}, id="literal"),
        pytest.param({"iat": NOW, "exp": NOW + 600}, id="longest-life"),
        pytest.param({"nbf": NOW - 9000}, id="not-before-is-no-birth"),
        pytest.param({"of": 2}, id="rsa"),
    ],
)
def test_accepted_by_kid(bench: Bench, change: dict[str, Any]) -> None:
    """The issuer may be the account's own value or a literal of the contract, compared as text."""
    found = identity(bench, "by_kid", x_token=token(bench, "Kid", **change))
    assert (found.account, found.problems) == (bench.one, ())


def test_kid_of_another_account(bench: Bench) -> None:
    """Accounts share the RSA test key, yet a token is held against the account that its kid names."""
    theirs = bench.theirs["clients"][2]["id"]
    found = identity(bench, "by_kid", x_token=token(bench, "Kid", of=2, header={"kid": theirs}))
    assert faults(found) == [("unauthenticated", "/header/x-token", "claims")]
    found = identity(
        bench, "by_kid", x_token=token(bench, "Kid", of=2, header={"kid": theirs}, iss=bench.theirs["pin"])
    )
    assert found.account is bench.two
    found = identity(bench, "by_kid", x_token=token(bench, "Kid", header={"kid": bench.theirs["clients"][0]["id"]}))
    assert faults(found) == [("unauthenticated", "/header/x-token", "signature")]


def test_a_token_without_the_header_that_names_its_key(bench: Bench) -> None:
    """It cannot be anybody's."""
    text = sign({"alg": "HS256"}, {"iss": "fixed", "exp": NOW + 9}, bench.mine["clients"][0]["secret"])
    assert faults(identity(bench, "by_kid", x_token=text)) == [("unauthenticated", "/header/x-token", "claims")]
