"""Rules: the problems they answer, those that no rule answers, and rules that can never decide."""

import pytest

from mockserver.spec.load import read_contract
from mockserver.spec.pointer import Pointer
from mockserver.spec.rules import Possible
from mockserver.spec.source import read_yaml
from tests.spec.test_security import KEY, TOKEN
from tests.spec.writing import SMALL, Case, assert_error, changed, contract, errors_of

LIMIT = "rate_limit: {requests: 3, seconds: 60, by: account, evidence: {assumed: A guess.}}"
ANY = "          - {problem: any, answer: invalid}\n"
NEVER = "a rule never reachable: this problem cannot happen here"
SETTLED = "a rule never reachable: the rules before it answer all that it would"


def before_any(rule: str, on: str, message: str) -> Case:
    """The small contract with a further rule before the last."""
    return ANY, f"          - {rule}\n{ANY}", on, message


ALONE: dict[str, Case] = {
    "after any": (ANY, f"{ANY}          - {{problem: method, answer: no_line}}\n", "method, answer: no_line", SETTLED),
    "answered before": before_any("{problem: method, answer: no_line}", "method, answer: no_line", SETTLED),
    "answered above": before_any("{problem: missing, at: /body/to, answer: no_line}", "/body/to, answer: no", SETTLED),
    "problem": before_any("{problem: forbidden, answer: invalid}", "forbidden", NEVER),
    "place": before_any("{problem: unknown, at: /body/fro, answer: invalid}", "/body/fro,", NEVER),
    "problem of no place": before_any("{problem: limited, at: /body, answer: invalid}", "limited, at", NEVER),
    "reason": before_any("{problem: unauthenticated, reason: expired, answer: invalid}", "expired", NEVER),
    "answer": (
        ANY,
        ANY.replace("invalid", "invalidd"),
        "invalidd",
        "no answer 'invalidd'; this operation has: sent, invalid, bad_number, closed, no_line, unauthorized, method_",
    ),
    "schema": ("{const: false}, /body/urgent", "{type: bool}, /body/urgent", "{type: bool}", "not a JSON Schema"),
}
REACHABLE = {
    "with a condition": "{problem: missing, when: {/body/text: {}}, answer: invalid}",
    "above what is answered": "{problem: missing, at: /body, answer: invalid}",
    "of two kinds": "{problem: [method, missing], answer: invalid}",
    "with a reason of the schema": "{problem: invalid, at: /body/text, reason: type, answer: invalid}",
}


@pytest.mark.parametrize("case", ALONE.values(), ids=ALONE)
def test_one_error(case: Case) -> None:
    """A rule that can never decide, or names something that does not exist, is an error on its own line."""
    assert_error(case)


def test_first_rule_answers_all() -> None:
    """Rules about a problem are of no use after a rule about any problem; conditions are."""
    method = "          - {problem: method, answer: method_not_allowed}\n"
    text = changed((method, ANY.replace("invalid", "no_line")))
    first = text[: text.index("{problem: any, answer: no_line}")].count("\n") + 1
    assert [(error.line - first, error.message) for error in errors_of(text)] == [(n, SETTLED) for n in (1, 2, 3, 4, 6)]


@pytest.mark.parametrize("rule", REACHABLE.values(), ids=REACHABLE)
def test_reachable(rule: str) -> None:
    """A rule that can decide in some case is not an error."""
    assert contract((ANY, f"          - {rule}\n{ANY}"))


def test_a_rule_knows_its_place() -> None:
    """The name of its file without a folder, and its line; that of another spelling is the original's."""
    result, _ = read_contract(read_yaml("a folder/acme.yaml", SMALL), "acme")
    lines = SMALL.splitlines()
    places = {rule.place for operation in result.operations for rule in operation.rules}
    numbered = {f"acme.yaml:{number}" for number, line in enumerate(lines, 1) if "answer: " in line}
    assert places
    assert places <= numbered
    for operation in result.operations:
        for rule in operation.rules:
            assert f"answer: {rule.answer.name}" in lines[int(rule.place.partition(":")[2]) - 1]


def uncovered(*edits: tuple[str, str], operation: str = "/sms/{batch}", only_rule: str = "") -> list[str]:
    """The problems without an answer, in an operation with no other rule."""
    rules = SMALL[
        SMALL.index("        rules:\n          - {problem: method") : SMALL.index(
            "      parameters:\n        - name: X-T"
        )
    ]
    text = changed((rules, f"        rules: [{only_rule}]\n"), *edits)
    pointer = f"/paths/{operation.replace('/', '~1')}/post"
    (message,) = [error.message for error in errors_of(text) if error.pointer == pointer]
    return message.removeprefix("problems that can happen but have no answer: ").split("; ")


EVERY = [
    "method",
    "too_large",
    "media_type",
    "unreadable at /body",
    "missing at /body",
    "invalid at /body",
    "missing at /body/to",
    "missing at /body/from",
    "invalid at /body/to",
    "invalid at /body/from",
    "invalid at /body/text",
    "invalid at /body/urgent",
    "unauthenticated absent at /header/x-key",
    "unauthenticated unknown at /header/x-key",
    "invalid at /header/x-trace",
    "invalid at /query/Limit",
    "unknown at /body/from",
    "foreign at /body/from",
    "limited",
]


def test_every_possible_problem() -> None:
    """The problems of a request follow from security, parameters, body, ownership and limits."""
    assert uncovered() == EVERY
    spelling = [problem for problem in EVERY if "x-trace" not in problem and "Limit" not in problem]
    assert uncovered(operation="/sms/{batch}/") == spelling


def test_a_condition_may_not_be_met() -> None:
    """A rule that answers any problem under a condition only leaves each of them without an answer."""
    assert uncovered(only_rule="{problem: any, when: {/body/text: {}}, answer: invalid}") == EVERY


POSSIBLE: dict[str, tuple[str, str, set[str], set[str]]] = {
    "required header": (
        "        - name: X-Trace\n",
        "        - name: X-Trace\n          required: true\n",
        {"missing at /header/x-trace"},
        set(),
    ),
    "no limit": (
        LIMIT,
        "",
        set(),
        {"limited"},
    ),
    "optional body": ("        required: true\n        content:", "        content:", set(), {"missing at /body"}),
    "any media type": ("          application/json:\n", "          '*/*':\n", set(), {"media_type"}),
    "body without schema": (
        '            schema: {$ref: "#/components/schemas/Message"}\n',
        "",
        set(),
        {problem for problem in EVERY if "/body" in problem} - {"missing at /body"},
    ),
}


@pytest.mark.parametrize(("old", "new", "more", "fewer"), POSSIBLE.values(), ids=POSSIBLE)
def test_possible_problem(old: str, new: str, more: set[str], fewer: set[str]) -> None:
    """Each part of the contract adds the problems that it makes possible."""
    problems = set(uncovered((old, new)))
    assert (problems - set(EVERY), set(EVERY) - problems) == (more, fewer)


def test_problems_of_tokens() -> None:
    """A token can be wrong in more ways than a key, and lack a role."""
    problems = uncovered((KEY, KEY + TOKEN), ("  - Key: []\n", "  - Token: [sender]\n"))
    at = "at /header/authorization"
    reasons = ["absent", "claims", "expired", "malformed", "signature", "unknown"]
    assert [problem for problem in problems if at in problem] == [
        *(f"unauthenticated {reason} {at}" for reason in reasons),
        f"forbidden {at}",
    ]


def test_problems_of_bearer_keys() -> None:
    """A bearer key can come with another scheme word than Bearer: it is malformed."""
    problems = uncovered(("type: apiKey\n      in: header\n      name: X-Key", "type: http\n      scheme: bearer"))
    assert [p for p in problems if "authorization" in p] == [
        f"unauthenticated {reason} at /header/authorization" for reason in ("absent", "malformed", "unknown")
    ]


def test_problems_of_forms() -> None:
    """A form has a schema of its own, unless its fields count as query parameters."""
    form = (
        "application/json:\n            schema: {$ref",
        "application/x-www-form-urlencoded:\n            schema: {$ref",
    )
    assert "invalid at /body/to" in uncovered(form)
    merged = uncovered(form, ("        body_limit: 1000\n", "        parameters_from: [query, form]\n"))
    assert "unreadable at /body" in merged
    assert "invalid at /body/to" not in merged


def test_rules() -> None:
    """A rule has its kinds, place, reason and conditions; any kind is None."""
    send = contract(
        (ANY, "          - {problem: invalid, at: /body/text, reason: type, answer: invalid}\n" + ANY)
    ).operations[0]
    method, *_, no_line, closed, typed, anything = send.rules
    assert (method.kinds, method.on_problem, method.at, method.reason) == (frozenset({"method"}), True, None, None)
    assert no_line.kinds == frozenset({"unknown", "foreign"})
    assert (typed.at, typed.reason) == (Pointer(("body", "text")), "type")
    assert send.conditions == (closed,)
    assert (anything.kinds, anything.on_problem) == (None, True)
    assert (closed.on_problem, closed.answer.name) == (False, "closed")
    (opened, condition), (urgent, absent) = closed.when
    assert (opened, urgent) == (Pointer(("owned", "lines", "open")), Pointer(("body", "urgent")))
    assert condition is not None
    assert (condition.is_valid(False), condition.is_valid(True), absent) == (True, False, None)


def test_possible_is_told_in_words() -> None:
    """The text of a problem has its kind, and its reason and place if there are any."""
    assert str(Possible("limited")) == "limited"
    assert str(Possible("missing", Pointer(("body", "to")))) == "missing at /body/to"
