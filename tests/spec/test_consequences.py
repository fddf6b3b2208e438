"""One mistake is told once: what follows from it alone is not told beside it."""

import pytest

from tests.spec.writing import changed, errors_of

CASES = {
    ("accept: {equals", "acept: {equals"): "unknown key 'acept'",
    ("accept: {equals: /account/key}", "accept: key"): '"key" is not of type "object"',
    ("{accept: {equals: /account/key}}", "{accept: {basic: {usr: /account/key, password: /account/key}}}"): "'usr'",
    ("  - Key: []", "  - Kez: []"): "there is no security scheme 'Kez'",
    ("security:\n  - Key: []", "security: Key"): "'security' must be a list",
    ("security:\n  - Key: []", "secuirty:\n  - Key: []"): "did you mean 'security'?",
    ("title: Acme SMS", "titel: Acme SMS"): "did you mean 'title'?",
    ("info:", "infoo:"): "did you mean 'info'?",
    ("  account:", "  acount:"): "did you mean 'account'?",
    ("      properties:\n        to:", "      propertys:\n        to:"): "did you mean 'properties'?",
    ("rules:\n          - {problem: method,", "rulez:\n          - {problem: method,"): "did you mean 'rules'?",
    ("x-mock:\n        body_limit", "x-moc:\n        body_limit"): "did you mean 'x-mock'?",
    ('"#/components/schemas/Message"', '"#/components/schemas/Mesage"'): "did you mean #/components/schemas/Message?",
}


@pytest.mark.parametrize("edit", CASES, ids=lambda edit: edit[1])
def test_a_mistake_is_told_once(edit: tuple[str, str]) -> None:
    """Rules that cannot be met, values that nothing binds and blocks that nothing reads follow from it."""
    (error,) = errors_of(changed(edit))
    assert CASES[edit] in error.message


def test_a_response_that_is_not_there() -> None:
    """Its answers are not missed by the rules, nor is its evidence, and what was meant counts as read."""
    plain = "components:\n"
    edits = (
        (
            plain,
            f"{plain}  responses: {{Unknown: {{description: Who?, x-mock: {{name: who, evidence: {{page: a}}}}}}}}\n",
        ),
        ('        "405":', '        "404": {$ref: "#/components/responses/Unknwon"}\n        "405":'),
        ("at: /body/to, answer: bad_number", "at: /body/to, answer: who"),
    )
    (error,) = errors_of(changed(*edits))
    assert error.message.endswith("/Unknwon; did you mean #/components/responses/Unknown?")
