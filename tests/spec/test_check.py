"""Pointers of a contract that point at nothing."""

import pytest

from mockserver.spec.check import pointers_read
from mockserver.spec.functions import digits
from mockserver.spec.pointer import Pointer
from mockserver.spec.value_model import Apply, Echo, New
from mockserver.spec.values import pointers_of
from tests.spec.test_security import KEY, OTHER, TOKEN
from tests.spec.writing import SMALL, Case, assert_error, changed, contract, errors_of

OF_TEXT = "of: [/body/text]"
NOTHING = "points at nothing in x-mock.account"
CMD = "        - {name: cmd, in"
BOUND = "is bound by no owned value; bound here: /owned/key, /owned/lines"
TWICE: dict[str, Case] = {
    "condition": (
        "{/owned/lines/open:",
        "{/owned/lines/opened:",
        "/owned/lines/opened:",
        f"/owned/lines/opened {NOTHING}",
    ),
    "condition on what is not bound": (
        "{/owned/lines/open:",
        "{/owned/apps/id:",
        "/owned/apps/id:",
        f"/owned/apps/id {BOUND}",
    ),
    "condition on all that is owned": ("{/owned/lines/open:", "{/owned:", "{/owned:", f"/owned {BOUND}"),
    "fill": (OF_TEXT, "of: [/account/kee]", "/account/kee", f"/account/kee {NOTHING}"),
    "problem": (
        OF_TEXT,
        "of: [/problem/at]",
        "/problem/at",
        "only /problem/name and /problem/value may be echoed, not /problem/at",
    ),
    "problem as such": (OF_TEXT, "of: [/problem]", "[/problem]", "may be echoed, not /problem"),
    "limit": (
        "else: {new: uuid}",
        "else: {echo: /limit/left}",
        "/limit/left",
        "only /limit/wait may be echoed, not /limit/left",
    ),
    "no such part": (
        OF_TEXT,
        "of: [/boby/text]",
        "/boby/text",
        "/boby/text must begin with one of: /path, /query, /header",
    ),
    "header in capitals": (
        "{echo: /header/x-trace,",
        "{echo: /header/X-Trace,",
        "/header/X-Trace,",
        "header names are lower case in",
    ),
    "limit by": ("by: account,", "by: /account/kee,", "/account/kee", f"/account/kee {NOTHING}"),
    "override": ("override: /owned/lines/number}", "override: /owned/line/number}", "/owned/line/number", BOUND),
}
ONCE: dict[str, Case] = {
    "file": ("{key: /account/key}", "{key: /account/kee}", "/account/kee", f"/account/kee {NOTHING}"),
    "scheme": ("{equals: /account/key}", "{equals: /account/kee}", "/account/kee", f"/account/kee {NOTHING}"),
    "dispatch": ("by: /query/cmd", "by: /querry/cmd", "/querry/cmd", "command: /querry/cmd must begin with one of"),
    "some digits only": (
        CMD,
        "        - {name: line, in: query, schema: {}, x-mock: {owned: /account/lines/number}}\n" + CMD,
        "name: line, in",
        "/account/lines/number is compared by digits in some places only",
    ),
}


@pytest.mark.parametrize("case", ONCE.values(), ids=ONCE)
def test_one_error(case: Case) -> None:
    """A pointer at nothing is one error, on the line of the pointer."""
    assert_error(case, alone=not case[0].startswith("{equals"))


@pytest.mark.parametrize("case", TWICE.values(), ids=TWICE)
def test_error_of_each_spelling(case: Case) -> None:
    """In a rule that two spellings share it is an error of each, both on the line of the pointer."""
    old, new, on, message = case
    text = changed((old, new))
    (line,) = (number for number, line in enumerate(text.splitlines(), start=1) if on in line)
    errors = errors_of(text)
    assert [error.line for error in errors] == [line, line]
    assert [error.message.partition(": ")[0] for error in errors] == ["send_sms", "send_sms_slash"]
    assert all(message in error.message for error in errors)


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ("roles: roles", "roles: rolls", "/account/apps/rolls"),
        (
            "equals: /account/apps/id}, key: secret, algorithm:",
            "equals: /account/aps/id}, key: secret, algorithm:",
            "/account/aps/id",
        ),
        ("[/account/key, sms]", "[/account/kee, sms]", "/account/kee"),
        ("[/account/key, sms]", "[/path/batch, sms]", "/path/batch"),
    ],
    ids=["roles", "find", "claims", "claims outside the account"],
)
def test_members_of_tokens(old: str, new: str, at: str) -> None:
    """The record that a token finds must have what the token is checked against."""
    schemes = KEY + TOKEN + OTHER
    assert schemes.count(old) == 1
    text = changed((KEY, schemes.replace(old, new)))
    errors = [(error.line, error.message) for error in errors_of(text)]
    line = text[: text.index(new)].count("\n") + 1
    assert (line, f"{at} {NOTHING}") in errors


def test_bound_by_nothing() -> None:
    """Without owned values and credentials no record is bound."""
    text = changed(
        (f"  securitySchemes:\n    Key:\n{KEY}", ""),
        ("security:\n  - Key: []\n", ""),
        ("          - {problem: unauthenticated, answer: unauthorized}\n", ""),
        ("by: /query/cmd", "by: /owned/apps/id"),
    )
    (error,) = errors_of(text)
    assert error.message == "command: /owned/apps/id is bound by no owned value; bound here: nothing"
    assert "dispatch" in text.splitlines()[error.line - 1]


def test_owned_within() -> None:
    """A value that a bound record must own needs that record to be bound and to have the member."""
    within = "text: {type: string, x-mock: {owned: /owned/%s}}"
    for member, message in (("lines/name", f"/owned/lines/name {NOTHING}"), ("apps/id", f"/owned/apps/id {BOUND}")):
        errors = errors_of(changed(("text: {type: string}", within % member)))
        assert f"send_sms: {message}" in [error.message for error in errors]
    assert contract(("text: {type: string}", within % "lines/open")).operations[0].owned[1].binds == "lines"


def test_owned_inside_a_bound_record() -> None:
    """A list of records in a bound record can own a value: its record is known by the list's name."""
    lines = "      - {number: {new: number, form: e164}, open: true"
    assert SMALL.count(lines) == 1
    edits = (
        (lines, f"{lines}, users: [{{name: Ann, old: false}}]"),
        ("text: {type: string}", "text: {type: string, x-mock: {owned: /owned/lines/users/name}}"),
    )
    made = contract(*edits, ("{/owned/lines/open:", "{/owned/users/old:"))
    owned = made.operations[0].owned[1]
    assert (owned.binds, owned.is_inner) == ("users", True)
    assert owned.claim not in made.claims
    errors = errors_of(changed(*edits, ("{/owned/lines/open:", "{/owned/users/young:")))
    assert f"send_sms: /owned/users/young {NOTHING}" in [error.message for error in errors]


@pytest.mark.parametrize(
    ("pointer", "good"),
    [("/account/lines/0/number", True), ("/account/lines/9/number", False), ("/account/again", False)],
)
def test_copies(pointer: str, good: bool) -> None:
    """A copied value must be one of the account's, and no copy itself."""
    text = changed(("x-mock:\n  account:\n", f"x-mock:\n  account:\n    again: {{copy: {pointer}}}\n"))
    messages = [error.message for error in errors_of(text)]
    assert messages == ([] if good else [f"{pointer} names no value of x-mock.account that can be copied"])


def test_pointers_of() -> None:
    """A filled value reads what it echoes, its fallback, and its function's arguments."""
    to, sender, uuid = Pointer(("body", "to")), Pointer(("body", "from")), New("uuid", 0)
    assert list(pointers_of(uuid)) == []
    assert list(pointers_of(Echo(to, uuid))) == [to]
    assert list(pointers_of(Echo(to, Apply(digits, (Echo(sender, None), Echo(to, None)))))) == [to, sender, to]


def test_pointers_read() -> None:
    """An operation reads what its rules, fills, rate limit, recipient and dispatch point at."""
    send, _, command = contract(("by: account,", "by: /query/Limit,")).operations
    assert list(map(str, pointers_read(send))) == [
        "/owned/lines/open",
        "/body/urgent",
        "/header/x-trace",
        "/body/text",
        "/problem/name",
        "/query/Limit",
        "/owned/lines/number",
    ]
    assert list(map(str, pointers_read(command))) == ["/query/cmd"]
