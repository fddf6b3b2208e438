"""Mistakes in answers: each is an error on its own line."""

import pytest

from tests.spec.writing import Case, assert_error

TAKEN = '"405": {description: No., x-mock: {name: method_not_allowed, evidence: {page: page 3}}}'
NO_LINE = "value: {code: 4, texts: [none]}\n                  x-mock: {evidence: {page: page 2}}"
TRACE = "X-Trace: {required: true, schema: {type: string}}"
ALONE: dict[str, Case] = {
    "fill at nothing": ("/body/code: {", "/body/cod: {", "/body/cod:", "fill points at nothing: /body/cod"),
    "fill at no item": ("/body/texts/0: {", "/body/texts/3: {", "/body/texts/3:", "fill points at nothing"),
    "fill inside a fill": (
        "/body/texts/0: {",
        "/body/texts: {echo: /body/text}\n                      /body/texts/0: {",
        "/body/texts/0:",
        "fill points into what another fill replaces: /body/texts/0",
    ),
    "fill of no body": (
        "/header/x-trace: {",
        "/body/x: {new: uuid}\n              /header/x-trace: {",
        "/body/x",
        "into a body that",
    ),
    "fill of no header": (
        "/header/x-trace: {",
        "/header/X-Other: {new: uuid}\n              /header/x-trace: {",
        "/header/X-Other",
        "fill points at a header that is not documented: /header/X-Other",
    ),
    "fill below a header": (
        "/header/x-trace: {",
        "/header/X-Left/0: {new: uuid}\n              /header/x-trace: {",
        "/header/X-Left/0",
        "at a header that is not documented: /header/X-Left/0",
    ),
    "no such function": (
        "{call: sms_segments, of: [/body/text]}",
        "{call: md5, of: [/body/text]}",
        "call: md5",
        "fill calls 'md5'; there are only: base64, below, digits, dotted, first, hmac_sha1, hmac_sha256, integer, md5_",
    ),
    "function in else": (
        "{echo: /problem/name}",
        "{echo: /problem/name, else: {call: md5, of: [/body/text]}}",
        "call: md5",
        "fill calls 'md5'",
    ),
    "arguments": ("sms_segments, of: [/body/text]", "md5_sorted, of: [/body/to]", "of: [/body/to]", "takes 2, not 1"),
    "plus beyond all time": ("else: {new: uuid}", "else: {new: timestamp, plus: 99999999999}", "plus:", "maximum"),
    "example of another type": (NO_LINE, NO_LINE.replace("4", "four"), "{code: four", 'schema: "four" is not of type'),
    "example with a member more": (NO_LINE, NO_LINE.replace("4", "4, x: 1"), "x: 1", "the example does not fit"),
    "no evidence": (NO_LINE, NO_LINE.partition("\n")[0], "{code: 4", "an answer without evidence: x-mock needs"),
    "evidence of neither kind": (
        NO_LINE,
        NO_LINE.replace("evidence: {page: page 2}", "means: 404"),
        "means: 404",
        "'evidence' is a required property",
    ),
    "empty evidence": (NO_LINE, NO_LINE.replace("page 2", '""'), 'page: ""', "'' should be non-empty"),
    "no evidence without a body": (
        TAKEN,
        TAKEN + '\n        "406": {description: No.}',
        '"406"',
        "an answer without evidence",
    ),
    "no name without a body": (
        TAKEN,
        TAKEN + '\n        "406": {description: No., x-mock: {evidence: {page: x}}}',
        '"406"',
        "needs x-mock.name",
    ),
    "second name": (
        TAKEN,
        TAKEN + '\n        "406": {description: No., x-mock: {name: sent, evidence: {page: x}}}',
        '"406"',
        "a second answer named 'sent'",
    ),
    "status": (
        TAKEN,
        TAKEN + '\n        "4XX": {description: No., x-mock: {name: other, evidence: {page: x}}}',
        '"4XX"',
        "by its three digits, 200 to 599",
    ),
    "interim status": (
        TAKEN,
        TAKEN + '\n        "103": {description: No., x-mock: {name: other, evidence: {page: x}}}',
        '"103"',
        "three digits",
    ),
    "body that cannot be": (
        TAKEN,
        TAKEN + '\n        "204": {content: {text/plain: {examples: {a: {value: x, x-mock: {evidence: {page: x}}}}}}}',
        '"204"',
        "HTTP allows no body with status 204",
    ),
    "body of what is reset": (
        TAKEN,
        TAKEN + '\n        "205": {content: {text/plain: {examples: {a: {value: x, x-mock: {evidence: {page: x}}}}}}}',
        '"205"',
        "HTTP allows no body with status 205",
    ),
    "no examples": (
        "            text/plain:\n              examples:",
        "            text/html: {}\n            text/plain:\n              examples:",
        "text/html",
        "'examples' is missing",
    ),
    "text that is none": (
        "value: Unauthorized",
        "value: [1]",
        "value: [1]",
        "a text/plain sample must be plain text without fill",
    ),
    "no schema": ("{code: {type: integer}, texts", "{code: {type: int}, texts", "type: int}", "not a JSON Schema"),
    "required header": (
        TRACE,
        TRACE + "\n            X-More: {required: true, schema: {}}",
        "X-More",
        "neither an example nor a fill",
    ),
    "header of ours": (
        TRACE,
        TRACE + "\n            Content-Length: {example: 0, schema: {}}",
        "Content-L",
        "'Content-Length' cannot be a header",
    ),
    "header's name": (
        TRACE,
        TRACE + "\n            X Y: {example: 0, schema: {}}",
        "X Y",
        "'X Y' cannot be a header of an answer",
    ),
    "header's value": (
        "example: 3}",
        "example: né}",
        "example: né",
        "a header can hold printable ASCII only, not 'né'",
    ),
    "header's value of two lines": (
        "example: 3}",
        'example: "3\\r\\nx: 4"}',
        'example: "3',
        "a header can hold printable ASCII",
    ),
    "magic twice": (
        'magic: "402"',
        'magic: "503"',
        "means: 503",
        "bad_number and closed share the magic 503",
    ),
    "magic": ('magic: "402"', "magic: 402", "magic: 402", '402 is not of type "string"'),
}
CONSEQUENTIAL: dict[str, Case] = {
    "name": (
        TAKEN,
        TAKEN + '\n        "406": {description: No., x-mock: {name: A B, evidence: {page: x}}}',
        "name: A B",
        '"A B" does not match',
    ),
    "name of an example": (
        "                no_line:",
        '                "no line":',
        "{code: 4",
        "plain lower-case word, not 'no line'",
    ),
    "media type": (
        "            text/plain:",
        "            text/plän:",
        "text/plän:",
        "printable ASCII only, not 'text/plän'",
    ),
    "no responses": (
        'responses: {"401": *plain}\n\ncomp',
        "responses: {}\n\ncomp",
        "responses: {}",
        "needs at least one response",
    ),
    "responses missing": (
        'responses: {"401": *plain}\n\ncomp',
        "\n\ncomp",
        "operationId: command",
        "'responses' is missing",
    ),
}


@pytest.mark.parametrize("case", ALONE.values(), ids=ALONE)
def test_one_error(case: Case) -> None:
    """A mistake in an answer is one error, on its own line."""
    assert_error(case)


@pytest.mark.parametrize("case", CONSEQUENTIAL.values(), ids=CONSEQUENTIAL)
def test_error(case: Case) -> None:
    """A mistake that rules depend on is an error too, beside those of the rules."""
    assert_error(case, alone=False)
