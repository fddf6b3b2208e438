"""Values that a contract fills in, as far as a request alone says what they are."""

import re
from collections.abc import Mapping
from typing import Any, Final

from mockserver.engine.sources import Sources
from mockserver.engine.values import TIME_FORMATS, Context, ValueCompiler
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.value_model import Apply, Constant, Echo, Join, New, Shaped, Value

ROOTS_OF_REQUESTS = frozenset({"path", "query", "header", "body"})  # roots of pointers that any request answers
HOST_POINTER = ("header", "host")  # whom the client called: the mock's name, where the vendor repeats its own
IDS = {  # patterns by kind
    "uuid": "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "hex": "[0-9a-fA-F]{%(length)d}",
    "token": "[0-9A-Za-z]{%(length)d}",
    "ulid": "[0-9A-HJKMNP-TV-Z]{26}",
    "sequence": "[0-9]+",
}
_JSON_KINDS = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "text", list: "list"}


class _Unsettled:
    def __repr__(self) -> str:
        return "UNSETTLED"


UNSETTLED: Final = _Unsettled()  # in place of a value: the request does not say what it is


def kind_of(value: Any) -> str:
    """What kind of JSON a value is."""
    return _JSON_KINDS.get(type(value), "object")


class FilledValues:
    """What the values of a contract are in the answer to one request; ``data`` are its parts."""

    def __init__(self, data: Mapping[str, Any], compiler: ValueCompiler, sources: Sources) -> None:
        self._data = data
        self._compiler = compiler
        self._context = Context({**data, "account": {}, "owned": {}}, None, sources, sources.now())

    def value(self, value: Value) -> Any:
        """The value; MISSING where it is absent, UNSETTLED where it is new or the customer's."""
        if isinstance(value, Echo) and value.otherwise is not None and self._is_of_request(value.pointer):
            found = value.pointer.get(self._data)
            return found if found is not MISSING else self.value(value.otherwise)
        return self._compiler.compile(value)(self._context) if self._is_settled(value) else UNSETTLED

    def header(self, value: Value) -> Any:
        """The same of a header, which is absent where nothing is left of it."""
        found = self.value(value)
        if found is UNSETTLED or found is MISSING:
            return found
        text = str(found).strip()
        if text:
            return text
        return UNSETTLED if isinstance(value, Echo) and value.otherwise is not None else MISSING

    def _is_settled(self, value: Value) -> bool:
        if isinstance(value, Constant):
            return True
        if isinstance(value, Echo):
            return value.otherwise is None and self._is_of_request(value.pointer)
        if isinstance(value, Apply):
            return all(map(self._is_settled, value.arguments))
        if isinstance(value, Join):
            return all(map(self._is_settled, value.parts))
        return (
            isinstance(value, Shaped)
            and all(self._is_of_request(at) for at, _ in value.when)
            and self._is_settled(value.value)
        )

    @staticmethod
    def _is_of_request(pointer: Pointer) -> bool:
        return pointer.tokens[0] in ROOTS_OF_REQUESTS and pointer.tokens[:2] != HOST_POINTER


def looks_like(value: Value, found: Any, sample: Any = None) -> bool:
    """Whether a value found looks as one that is made anew; of a list or a computed one, whether its kind is right.

    What is repeated may be of any kind: the answer's schema says more.
    """
    if isinstance(value, Shaped):
        return looks_like(value.value, found, sample)
    if isinstance(value, Echo):
        return value.otherwise is None or looks_like(value.otherwise, found, sample)
    if isinstance(value, New):
        return _looks_new(value, found, sample)
    return sample is None or found is None or kind_of(found) == kind_of(sample)


def _looks_new(value: New, found: Any, sample: Any) -> bool:
    if value.kind == "timestamp" and isinstance(found, str):
        return _form(value.form).fullmatch(found) is not None
    if value.kind == "timestamp" or (value.kind == "sequence" and not value.prefix and not isinstance(found, str)):
        return kind_of(found) == ("number" if sample is None else kind_of(sample))
    if value.kind == "sequence" and not value.prefix and sample is not None:
        return isinstance(sample, str)
    return isinstance(found, str) and _id(value).fullmatch(found) is not None


def _id(value: New) -> re.Pattern[str]:
    """A pattern of the ids that this value makes."""
    return re.compile(re.escape(value.prefix) + IDS[value.kind] % {"length": value.length})


def _form(form: str) -> re.Pattern[str]:
    """A pattern of the texts of a time format: digits and letters where it has digits and letters."""
    text = str(TIME_FORMATS[form](0))
    classes = ("[0-9]" if c.isdigit() else "[A-Za-z]" if c.isalpha() else re.escape(c) for c in text)
    return re.compile("".join(classes))
