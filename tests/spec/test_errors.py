"""The promise to a contract's author: one run names ten different errors of one file, each with its place."""

import pytest

from mockserver.spec.errors import ContractError, ContractErrors
from mockserver.spec.load import load_contracts
from tests.spec.writing import DATA

FILE = DATA / "ten_errors.yaml"
ERRORS = [
    (13, "problems that can happen but have no answer: missing at /body"),
    (
        15,
        "unknown key 'rate_limits'; known here: body_limit, dispatch, evidence, message, parameters_from, rate_limit",
    ),
    (
        18,
        "no answer 'unauthorised'; this operation has: sent, invalid, bad_number, unauthorized, method_not",
    ),
    (20, "a rule never reachable: the rules before it answer all that it would"),
    (21, "/account/open points at nothing in x-mock.account"),
    (38, 'the example does not fit its schema: "400" is not of type "integer"'),
    (45, "fill points at nothing: /body/kode"),
    (50, "$ref points at nothing: #/components/schemas/Eror"),
    (53, "an answer without evidence: x-mock needs 'evidence'"),
    (59, "method_not_allowed and gone share the magic 400"),
]


@pytest.fixture(scope="module")
def errors() -> tuple[ContractError, ...]:
    with pytest.raises(ContractErrors) as caught:
        load_contracts([FILE])
    return caught.value.errors


@pytest.mark.parametrize(("line", "message"), ERRORS, ids=[str(line) for line, _ in ERRORS])
def test_each(line: int, message: str, errors: tuple[ContractError, ...]) -> None:
    """Each error is named once, on the line that is wrong."""
    assert [error.line for error in errors if message in error.message] == [line]


def test_nothing_else(errors: tuple[ContractError, ...]) -> None:
    """Ten mistakes are ten errors in the order of the file, none a mere consequence of another."""
    assert [error.line for error in errors] == [line for line, _ in ERRORS]


def test_text(errors: tuple[ContractError, ...]) -> None:
    """The text of an error lets an editor jump to it: file, line, column, pointer, message."""
    assert str(errors[6]).startswith(
        f"{FILE}:45:23: /paths/~1sms/post/responses/400/content/application~1json/examples/"
    )
    assert str(errors[6]).endswith("/bad_number/x-mock/fill/~1body~1kode: fill points at nothing: /body/kode")


def test_order() -> None:
    """Errors are sorted by file and place, without repetition."""
    late, early = ContractError("b.yaml", 10, 1, "/a", "late"), ContractError("b.yaml", 9, 3, "", "early")
    errors = ContractErrors([late, early, ContractError("a.yaml", 99, 1, "", "x"), late])
    assert str(errors) == "a.yaml:99:1: /: x\nb.yaml:9:3: /: early\nb.yaml:10:1: /a: late"
