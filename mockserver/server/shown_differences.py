"""What differs from an expectation, its secrets masked: values of a request, and what was expected of them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote_plus

from mockserver.engine.bodies import read_query
from mockserver.server.masking import CUT
from mockserver.server.serialize import MAX_MEMBER_SHOWN, Shown, masked_scalar
from mockserver.spec.pointer import Pointer

FIELD_PARTS = frozenset({"query", "body", "json", "form"})  # of a request as patterns see it, with secret fields
SCHEMA = "schema"  # the one member of what is expected by a schema
OF_PATTERNS = frozenset({"patternProperties"})  # keywords of schemas for members of any name, so that of a secret, too
OF_ALL_HEADERS = OF_PATTERNS | {"additionalProperties", "unevaluatedProperties", "dependentSchemas"}
# Keywords that say of which kind a value is, not which: all others may have a secret.
KIND_KEYWORDS = frozenset({"type", "format", "minLength", "maxLength", "minItems", "maxItems", "required"})


class ShownDifferences(Shown):
    """Shows the values of differences."""

    def differing(self, pointer: str, value: Any, content_type: str) -> Any:
        """An expected or found value, which stands at this pointer of a request as patterns see it."""
        self._renew_room()
        root, *names = Pointer.parse(pointer).tokens
        if root in {"header", "headers"}:
            return self._of_headers(names, value)
        if root in FIELD_PARTS and any(map(self._masker.hides_field, names)):
            return self._hidden(value, self._masker.mask)
        if _is_schema(value):
            return {SCHEMA: self._schema(value[SCHEMA], self._masker.hides_field, self._masker.mask, OF_PATTERNS)}
        if root in FIELD_PARTS and not names and isinstance(value, str):
            return self._masker.body(self._room.take(value), "", content_type)
        if root in FIELD_PARTS and _is_form(content_type):
            return self._of_form(value)
        return self.value(value)

    def _of_headers(self, names: list[str], value: Any) -> Any:
        """A header's value, that of all of them as a mapping, or what is expected of them."""
        if names:
            return self._credential(names[0], value)
        if _is_schema(value):
            return {SCHEMA: self._schema(value[SCHEMA], self._masker.hides_header, self._masker.header, OF_ALL_HEADERS)}
        if isinstance(value, Mapping):
            return {name: self._credential(name, item) for name, item in self._room.of(value.items())}
        return self.value(value)

    def _of_form(self, value: Any) -> Any:
        """A value of a form, or the whole of it as a mapping; what is expected of it may be anything."""
        if isinstance(value, str):
            return self.text(value, in_form=True)
        if not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values()):
            return self.value(value)
        whole = any('"' in name or '"' in item for name, item in value.items())
        fields = self._joined(value) if whole else value.items()
        shown = dict(self._field(name, item) for name, item in self._room.of(fields))
        return shown if whole or len(shown) == len(value) else {**shown, CUT: f"{len(value) - len(shown)} more"}

    def _joined(self, form: Mapping[str, str]) -> list[tuple[str, str]]:
        """A form's fields, the secrets in it masked that "=" and "&" have cut into several, as far as shown."""
        written, length = list[str](), 0
        for name, item in form.items():
            if length > MAX_MEMBER_SHOWN:
                break
            pair = (name[: MAX_MEMBER_SHOWN + 1], item[: MAX_MEMBER_SHOWN + 1])
            written.append("=".join(quote_plus(text, errors="replace") for text in pair))
            length += sum(map(len, pair))
        return read_query(self._masker.members("&".join(written)).encode())

    def _credential(self, name: str, value: Any) -> Any:
        hides = self._masker.hides_header(name)
        return self._hidden(value, self._masker.header) if hides else self.value(value)

    def _schema(
        self, schema: Any, hides: Callable[[str], bool], mask: Callable[[str], str], open_ended: Collection[str]
    ) -> Any:
        """A schema of several values by their names: what it expects where a secret stands is masked."""
        if isinstance(schema, Mapping):
            return {
                self.text(name): self._hidden_schema(item, mask)
                if hides(name) or name in open_ended
                else self._schema(item, hides, mask, open_ended)
                for name, item in self._room.of(schema.items())
            }
        if isinstance(schema, list):
            return [self._schema(item, hides, mask, open_ended) for item in self._room.of(schema)]
        return self.value(schema)

    def _hidden(self, value: Any, mask: Callable[[str], str]) -> Any:
        """What stands, or is expected, where a secret stands."""
        return {SCHEMA: self._hidden_schema(value[SCHEMA], mask)} if _is_schema(value) else self._secret(value, mask)

    def _hidden_schema(self, schema: Any, mask: Callable[[str], str]) -> Any:
        """A schema of a secret, without the values that it allows: of which kind and how long it is stays."""
        if isinstance(schema, Mapping):
            return {
                name: item if name in KIND_KEYWORDS else self._hidden_schema(item, mask)
                for name, item in self._room.of(schema.items())
            }
        if isinstance(schema, list):
            return [self._hidden_schema(item, mask) for item in self._room.of(schema)]
        return masked_scalar(schema, mask)


def _is_schema(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == {SCHEMA}


def _is_form(content_type: str) -> bool:
    return content_type.lower().startswith(("application/x-www-form-urlencoded", "multipart/form-data"))
