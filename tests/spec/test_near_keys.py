"""Keys that are nearly known ones are told with the right word."""

import pytest

from mockserver.spec.load import read_contract
from mockserver.spec.near_keys import CIRCLE, check_keys
from mockserver.spec.reader import Reader
from mockserver.spec.source import read_yaml
from tests.spec.writing import changed


def told(text: str) -> list[tuple[int, str]]:
    """The line and message of each near miss in a document."""
    reader = Reader(read_yaml("acme.yaml", text), "acme")
    check_keys(reader)
    return [(error.line, error.message) for error in reader.errors]


WRONG = {
    "x_mock: {recipient: true}": "'x_mock' is not read; did you mean 'x-mock'?",
    "X-Mock: {recipient: true}": "'X-Mock' is not read; did you mean 'x-mock'?",
    "<<: {a: 1}": "merge keys ('<<') are not supported",
    "paths: {<<: {a: 1}}": "merge keys ('<<') are not supported",
    "paths: {/a: {post: {parameters: [{name: a, xmock: 1}]}}}": "did you mean 'x-mock'?",
    "components: {schemas: {A: {requird: [a]}}}": "unknown keyword 'requird' of JSON Schema; did you mean 'required'?",
    "components: {schemas: {A: {x_mock: {recipient: true}}}}": "did you mean 'x-mock'?",
    "components: {schemas: {A: {<<: {type: string}}}}": "merge keys",
    "components: {schemas: {A: {properties: {a: {nullable: true}}}}}": "'nullable' is a word of OpenAPI 3.0",
    "components: {schemas: {A: {items: {maxLenght: 3}}}}": "did you mean 'maxLength'?",
    "components: {schemas: {A: {oneOf: [{propertys: {}}]}}}": "did you mean 'properties'?",
    "paths: {/a: {get: {parameters: [{schema: {patern: a}}]}}}": "did you mean 'pattern'?",
    "x-mock: {rules: [{when: {/owned/a: {maxItem: 0}}}]}": "did you mean 'maxItems'?",
    "x-mock: {rules: [{problem: invalid, reason: pattrn}]}": "reason 'pattrn'; did you mean 'pattern'?",
    "x-mock: {responses: {'405': {content: {a: {schema: {typ: string}}}}}}": "did you mean 'type'?",
}
WRONG |= {
    text: f"unknown key {wrong!r} of OpenAPI; did you mean {right!r}?"
    for text, wrong, right in (
        ("secuirty: []", "secuirty", "security"),
        ("info: {titel: A}", "titel", "title"),
        ("servers: [{urll: a}]", "urll", "url"),
        ("paths: {/a: {pots: {}}}", "pots", "post"),
        ("paths: {/a: {post: {requestbody: {}}}}", "requestbody", "requestBody"),
        ("paths: {/a: {post: {paramters: []}}}", "paramters", "parameters"),
        ("paths: {/a: {post: {Security: []}}}", "Security", "security"),
        ("paths: {/a: {post: {calbacks: {}}}}", "calbacks", "callbacks"),
        ("paths: {/a: {parameters: [{name: a, requird: true}]}}", "requird", "required"),
        ("paths: {/a: {post: {requestBody: {contnet: {}}}}}", "contnet", "content"),
        ("paths: {/a: {post: {requestBody: {content: {a/b: {exmaple: 1}}}}}}", "exmaple", "example"),
        ("paths: {/a: {post: {responses: {'200': {descripton: a}}}}}", "descripton", "description"),
        ("paths: {/a: {post: {responses: {'200': {headers: {A: {exampel: a}}}}}}}", "exampel", "example"),
        ("paths: {/a: {post: {callbacks: {a: {b: {post: {requestbody: {}}}}}}}}", "requestbody", "requestBody"),
        ("webhooks: {a: {post: {requestbody: {}}}}", "requestbody", "requestBody"),
        ("components: {securityScheme: {}}", "securityScheme", "securitySchemes"),
        ("components: {securitySchemes: {A: {tpye: http}}}", "tpye", "type"),
        ("components: {responses: {A: {content: {a/b: {examples: {a: {valeu: 1}}}}}}}", "valeu", "value"),
    )
}
WRONG |= {
    "paths: {/a: {post: {x-mocks: {}}}}": "'x-mocks' is not read; did you mean 'x-mock'?",
    "paths: {/a: {post: {x-moc: {}}}}": "'x-moc' is not read; did you mean 'x-mock'?",
    "x-mock: {account: {key: {nw: token}}}": "'nw' makes nothing up; did you mean 'new'?",
    "x-mock: {account: {keys: [{key: {cpy: /account/key}}]}}": "'cpy' makes nothing up; did you mean 'copy'?",
}
RIGHT = (
    "paths: {/a: {post: {x-internal: 1, produces: [a], x-mockup: 1}}}",
    "x-mock: {account: {name: token, lines: [{nets: uuid}], now: /account}}",
    "components: {schemas: {A: {properties: {requird: {}, x_mock: {}, nullable: {}}}}}",
    "components: {schemas: {A: {x-internal: 1, unitOfMeasure: a, example: {requird: 1}, default: {x_mock: 1}}}}",
    "components: {headers: {X-Mock: {schema: {type: string}}}}",
    "paths: {/a: {get: {responses: {'200': {content: {a: {examples: {one: {value: {x_mock: 1, <<: 2}}}}}}}}}}",
    "components: {schemas: {A: {properties: {a: &a {type: string}, b: *a}}}}",
    "components: {schemas: {A: true}}",
    "x-mock: {rules: [{reason: pattern}, {reason: repeated}, {reason: signature}, {reason: claims}, {reason: 1}, 1]}",
)


@pytest.mark.parametrize("text", WRONG)
def test_a_near_miss_is_told_once(text: str) -> None:
    """With the word that was probably meant."""
    ((line, message),) = told(text)
    assert (line, WRONG[text] in message) == (1, True), message


@pytest.mark.parametrize(
    "schemas",
    [
        "{A: {$ref: '#/components/schemas/B'}, B: {allOf: [{$ref: '#/components/schemas/A'}]}}",
        "{A: {anyOf: [{type: string}, {$ref: '#/components/schemas/A'}]}}",
        "{A: {not: {$ref: '#/components/schemas/A'}}}",
        "{A: {if: {$ref: '#/components/schemas/B'}}, B: {oneOf: [{then: {$ref: '#/components/schemas/A'}}]}}",
        "{C: {properties: {c: {$ref: '#/components/schemas/A'}}}, A: {allOf: [{$ref: '#/components/schemas/A'}]}}",
    ],
)
def test_a_schema_that_asks_nothing(schemas: str) -> None:
    """One whose references lead back to it for the same value is told once."""
    assert [message for _, message in told(f"components: {{schemas: {schemas}}}")] == [CIRCLE]


@pytest.mark.parametrize(
    "schemas",
    [
        "{A: {properties: {a: {$ref: '#/components/schemas/A'}}}}",
        "{A: {items: {anyOf: [{$ref: '#/components/schemas/A'}, {type: string}]}}}",
        "{A: {allOf: [{$ref: '#/components/schemas/B'}, {$ref: '#/components/schemas/B'}]}, B: {type: string}}",
        "{A: {properties: {not: {$ref: '#/components/schemas/A'}}}}",
    ],
)
def test_recursion_is_no_circle(schemas: str) -> None:
    """A schema may come again for a member or an item of its value, or twice side by side."""
    assert told(f"components: {{schemas: {schemas}}}") == []


@pytest.mark.parametrize("text", RIGHT)
def test_names_and_data_are_free(text: str) -> None:
    """Names that the author chooses, values of examples, and extensions are no near misses."""
    assert told(text) == []


def test_a_contract_is_read_for_near_misses() -> None:
    """The error joins the others of the contract."""
    text = changed(("info:", "x_mock: {}\ninfo:"))
    errors = read_contract(read_yaml("acme.yaml", text), "acme")[1].errors
    assert [error.message for error in errors] == ["'x_mock' is not read; did you mean 'x-mock'?"]
