"""Bodies of forms (application/x-www-form-urlencoded) as text, and read again; values as clients send them there."""

import json
from typing import Any
from urllib.parse import parse_qsl, quote_plus

FORM = "application/x-www-form-urlencoded"


def is_form_type(media_type: str) -> bool:
    """Whether a body of this media type is a form."""
    return media_type.partition(";")[0].strip().lower() == FORM


def form_text(fields: Any) -> str:
    """A mapping as the fields of a form; nothing of another value."""
    pairs = fields.items() if isinstance(fields, dict) else ()
    return "&".join(f"{quote_plus(name)}={field_text(value)}" for name, value in pairs)


def field_text(value: Any) -> str:
    """A value as that of a field, escaped: null is an empty one, a list or a mapping is JSON."""
    if value is None:
        return ""
    is_plain = isinstance(value, str)
    return quote_plus(value if is_plain else json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def sent_text(value: Any) -> str:
    """A value as clients send it where all is text, in a path, a query, a header or a form: ``true``, not ``True``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def form_fields(text: str) -> dict[str, str]:
    """The fields of a form that ``form_text`` wrote."""
    return dict(parse_qsl(text, keep_blank_values=True))
