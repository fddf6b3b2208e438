"""What an answer fills in must come to something: what it reads is made, and entries have what is named of them."""

import pytest

from tests.spec.test_security import KEY, TOKEN
from tests.spec.writing import changed, errors_of

NAME = "/body/texts/0: {echo: /problem/name}"
SENT = "fill:\n              /header/x-trace: {echo: /header/x-trace, else: {new: uuid}}"
KEEPS = "keeps: {list: sent, key: id, record: {id: {new: uuid}}}"
ENTRIES = "/body/texts: {each: /recipients"


def told(old: str, new: str) -> list[str]:
    """The messages of the small contract with one value replaced."""
    return [error.message for error in errors_of(changed((old, new), (KEY, KEY + TOKEN)))]


WRONG: dict[str, tuple[str, str]] = {
    "/body/texts/0: {echo: /made/body/at}": (NAME, "no fill makes /made/body/at; made before: nothing"),
    "/body/texts/0: {join: [a, {echo: /made/body/code}]}": (NAME, "/made/body/code is made after this one"),
    "/body/texts/0: {echo: /made/raw}": (NAME, "the whole body is made last"),
    "/body/texts/0: {echo: /item/to}": (NAME, "an entry is read inside of `each`"),
    "/body/texts/0: {new: uuid, when: {/item/to: true}}": (NAME, "an entry is read inside of `each`"),
    "/body/texts/0: {count: /body/texts}": (NAME, "no list of records is filled in at /body/texts"),
    "/body/texts/0: {token: Nope}": (NAME, "'Nope' is no security scheme of signed tokens; there are: Token"),
    "/body/texts/0: {token: Key}": (NAME, "'Key' is no security scheme of signed tokens; there are: Token"),
    "/body/texts: {problems: {a: {echo: /item/wy}}}": (
        NAME,
        "no entry of /problems has a member 'wy'; there are: kind",
    ),
    "/body/texts: {each: /problems, refused: {}}": (NAME, "only an entry of /recipients can be refused"),
    f"{ENTRIES}, item: {{a: {{echo: /item/tow}}}}}}": (
        NAME,
        "no entry of /recipients has a member 'tow'; there are: to",
    ),
    f"{ENTRIES}, refused: {{a: {{b: [{{echo: /item/tow}}]}}}}}}": (NAME, "no entry of /recipients has a member 'tow'"),
    f"{ENTRIES}, where: {{/tow: {{is: a}}}}}}": (NAME, "no entry of /recipients has a member 'tow'"),
    f"{ENTRIES}, order: [-tow]}}": (NAME, "no entry of /recipients has a member 'tow'"),
    "/body/texts: {each: /account/lines, item: {a: {echo: /item/nr}}}": (NAME, "/account/lines has a member 'nr'"),
    "fill: {/header/x-trace: {echo: /problem/name}}": (SENT, "no rule gives this answer to a problem"),
    "fill: {/header/x-trace: {echo: /path/nope}}": (SENT, "no request has /path/nope"),
    f"{SENT}\n            {KEEPS.replace('{new: uuid}', '{echo: /item/id}')}": (SENT, "an entry is read inside of"),
    f"{SENT}\n            {KEEPS.replace('{new: uuid}', '{echo: /made/body/id}')}": (
        SENT,
        "this answer's body has no /id",
    ),
}
RIGHT: dict[str, str] = {
    "/body/at: {new: uuid}\n                      /body/texts/0: {echo: /made/body/at}": NAME,
    "/body/texts: {problems: {a: {echo: /item/reason}, b: {echo: /item/value}}}": NAME,
    f"{ENTRIES}, order: [-number], item: {{a: {{echo: /item/entry/x}}}}}}": NAME,
    "/body/texts: {each: /account/lines, where: {open: {is: true}}, item: {a: {echo: /item/number}}}": NAME,
    "/body/texts/0: {count: /body/texts/1}\n                      /body/texts/1: {each: /recipients}": NAME,
    "/body/texts/0: {token: Token}": NAME,
    "fill: {/header/x-trace: {echo: /problem/name, else: {new: uuid}}}": SENT,
    f"{SENT}\n            {KEEPS}": SENT,
}


@pytest.mark.parametrize("new", WRONG)
def test_a_value_that_comes_to_nothing(new: str) -> None:
    """One error says what is not there."""
    old, message = WRONG[new]
    (error,) = told(old, new)
    assert message in error


@pytest.mark.parametrize("new", RIGHT)
def test_a_value_that_comes_to_something(new: str) -> None:
    """No error: it is made, or an entry has it."""
    assert told(RIGHT[new], new) == []
