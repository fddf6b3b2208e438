"""Where a client may put a secret, right or wrong, and whether a shown call tells it."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from tests.server.acme_customer import Customer, body_of

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=edge"}


def everything(call: dict[str, Any]) -> str:
    """All that is shown of a call, raw bodies decoded, and each of these once more without its escapes."""
    texts: list[str] = []
    waiting: list[Any] = [call, *(body_of(call[part]).decode("utf-8", "replace") for part in ("request", "response"))]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            texts.append(value)
    return "\n".join(texts)


def leaks(call: dict[str, Any], secret: str) -> bool:
    """Whether the secret, as it is or as any format writes it, stands in what is shown."""
    shown = everything(call)
    quoted = json.dumps(secret)[1:-1]
    forms = {secret, secret.lower(), quoted, json.dumps(secret, ensure_ascii=False)[1:-1], quoted.replace("/", "\\/")}
    forms |= {secret.replace("~", "~0").replace("/", "~1"), secret.encode().decode("latin-1")}
    for safe in ("", "/", "/+=", "!'()*"):
        forms |= {quote(secret, safe=safe), quote_plus(secret, safe=safe), quote(secret, safe=safe).lower()}
    return any(form in shown for form in forms)


def part(name: str, value: str) -> str:
    return f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


IN_HEADERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "its-header": lambda secret: {"headers": {"X-Key": secret}},
    "bearer": lambda secret: {"headers": {"Authorization": f"Bearer {secret}"}},
    "cookie": lambda secret: {"headers": {"Cookie": f"session={secret}"}},
    "another-header": lambda secret: {"headers": {"X-Api-Key": f"key {secret};"}},
    "echoed-header": lambda secret: {"headers": {"X-Trace": secret}},
    "echoed-header-cut-off": lambda secret: {"headers": {"X-Trace": "x" * (1000 - len(secret) + 1) + secret}},
    "content-type": lambda secret: {"content": b"x", "headers": {"Content-Type": f"text/{secret}"}},
}
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    **IN_HEADERS,
    "its-query": lambda secret: {"params": {"key": secret}},
    "another-query": lambda secret: {"params": {"other": f"a{secret}b"}},
    "query-name": lambda secret: {"params": {secret: ""}},
    "path": lambda secret: {"path": f"/base/typed/{quote(secret, safe='')}", "method": "GET"},
    "unknown-path": lambda secret: {"path": f"/{quote(secret)}"},
    "json": lambda secret: {"json": {"from": "1", "to": "2", "text": secret}},
    "json-too-long": lambda secret: {"json": {"from": "1", "to": "2", "text": "x" * 250 + secret}},
    "json-name": lambda secret: {"json": {"from": "1", "to": "2", secret: None}},
    "json-slashes-escaped": lambda secret: {"content": json.dumps({"to": secret}).replace("/", "\\/"), "headers": JSON},
    "json-all-escaped": lambda secret: {
        "content": '{"to": "' + "".join(f"\\u{ord(character):04X}" for character in secret) + '"}',
        "headers": JSON,
    },
    "json-twice": lambda secret: {
        "content": f"{{{json.dumps(secret)}: 1, {json.dumps(secret)}: 2}}",
        "headers": JSON,
    },
    "json-its-name": lambda secret: {"json": [{"deep": {"key": secret}}]},
    "json-unreadable": lambda secret: {"content": f'{{"key": {json.dumps(secret)}'.encode(), "headers": JSON},
    "form": lambda secret: {"path": "/base/forms", "content": urlencode({"key": secret}), "headers": FORM},
    "form-merged": lambda secret: {"path": "/base/merged", "content": urlencode({"key": secret}), "headers": FORM},
    "form-wrong-name": lambda secret: {"path": "/base/forms", "content": f"a=x{quote(secret)}", "headers": FORM},
    "form-name": lambda secret: {"path": "/base/forms", "content": quote_plus(secret), "headers": FORM},
    "form-unescaped": lambda secret: {"path": "/base/forms", "content": f"a={secret}".encode(), "headers": FORM},
    "form-for-json": lambda secret: {"content": urlencode({"key": secret}), "headers": FORM},
    "form-wrong-method": lambda secret: {
        "path": "/base/merged",
        "method": "PUT",
        "content": urlencode({"key": secret}),
        "headers": FORM,
    },
    "form-unknown-path": lambda secret: {"path": "/nowhere", "content": urlencode({"key": secret}), "headers": FORM},
    "multipart": lambda secret: {
        "path": "/base/merged",
        "content": (part("key", secret) + "--edge--\r\n").encode(),
        "headers": MULTIPART,
    },
    "multipart-wrong-name": lambda secret: {
        "path": "/base/forms",
        "content": (part("a", secret) + "--edge--\r\n").encode(),
        "headers": MULTIPART,
    },
    "multipart-broken": lambda secret: {
        "path": "/base/forms",
        "content": part("a", secret).encode(),
        "headers": MULTIPART,
    },
    "bytes": lambda secret: {"content": b"\xff\x00" + secret.encode() + b"\xfe"},
}


# Where a credential stands by the contract, though not always rightly.
CREDENTIAL_PLACES = (
    "its-header",
    "bearer",
    "cookie",
    "its-query",
    "json-its-name",
    "json-unreadable",
    "form",
    "form-merged",
    "form-for-json",
    "form-wrong-method",
    "form-unknown-path",
    "multipart",
)


def sent(customer: Customer, place: str, secret: str, *, known: bool = False) -> dict[str, Any]:
    """The call that has a secret in that place; without the account's own key, unless it is to be known."""
    request = PLACES[place](secret)
    headers = {name: value.encode() for name, value in request.pop("headers", {}).items()}
    if known:
        headers["X-Key"] = customer.mine["key"].encode()
    request = {"json": {}, **request} if not request.keys() & {"json", "content"} else request
    path, method = request.pop("path", "/base/messages"), request.pop("method", "POST")
    return customer.call(customer.client.request(method, path, headers=headers, **request))
